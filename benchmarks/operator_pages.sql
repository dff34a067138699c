-- The warehouse of benchmarks/operator_pages.py: outlets, crawls and articles of so many days. Rows of a kind are alike.
SET session_replication_role = replica;

CREATE TEMP TABLE made AS
SELECT 'bench-' || n AS outlet, d, k, c.crawl_id, format('https://bench-%%s.example/%%s/%%s/', n, d, k) AS url,
       now() - make_interval(days => d, hours => 6 * k, mins => n %% 60) AS at
FROM generate_series(1, %(outlets)s) n
CROSS JOIN generate_series(0, %(days)s - 1) d
CROSS JOIN generate_series(0, 3) k
CROSS JOIN LATERAL (SELECT md5(n || '-' || d || '-' || k)::uuid AS crawl_id) c;

CREATE TEMP TABLE page AS
SELECT made.outlet, made.crawl_id, made.at, md5(made.crawl_id::text || a)::uuid AS article_uid,
       sha256((made.crawl_id::text || a)::bytea) AS hash, made.url || a AS url
FROM made CROSS JOIN generate_series(1, %(articles)s) a;

INSERT INTO core.outlet (outlet, name, home, country, languages, timezone, tier, domains, enabled, gone_after)
SELECT DISTINCT outlet, initcap(outlet), 'https://' || outlet || '.example/', 'DE', '{en}'::text[], 'Europe/Berlin',
       'hourly', ARRAY[outlet || '.example'], true, interval '1 day'
FROM made;

INSERT INTO core.extractor (extractor_id, name, version, config_hash, config) OVERRIDING SYSTEM VALUE
VALUES (1, 'bench', '1', '\x00', '{}');

INSERT INTO ops.health (outlet, state, reason, since, checked_at)
SELECT outlet, CASE WHEN outlet LIKE '%%7' THEN 'silent' ELSE 'fresh' END, 'as usual', now(), now() FROM core.outlet;

INSERT INTO ops.endpoint (endpoint_id, outlet, method, url, configured)
SELECT md5(outlet || k)::uuid, outlet, 'feed', home || 'feed-' || k, true FROM core.outlet, generate_series(1, 3) k;

INSERT INTO ops.crawl_request (request_id, outlet, mode, interval_end, requested_by, dag_id, run_id, config_hash)
SELECT crawl_id, outlet, 'incremental', at, 'airflow', 'crawl_hourly', format('scheduled__%%s_%%s', d, k), '\x00'
FROM made;

INSERT INTO ops.crawl (crawl_id, request_id, outlet, mode, interval_end, started_at, finished_at, finish_reason,
                       candidates, requests, code_version, host, pid)
SELECT crawl_id, crawl_id, outlet, 'incremental', at, at, at + interval '1 minute', 'finished', 8, 10, '0', 'h', 1
FROM made;

INSERT INTO ops.endpoint_poll (crawl_id, endpoint_id, polled_at, http_status, outcome, entries, candidates)
SELECT crawl_id, md5(outlet || 1)::uuid, at, 200, 'listed', 8, 8 FROM made;

INSERT INTO ops.candidate (crawl_id, url_uid, url, discovered_via, outcome, resolved_at, decided_at)
SELECT crawl_id, article_uid, url, 'feed', 'new', at, at FROM page
UNION ALL
SELECT crawl_id, md5(crawl_id::text || 'other' || i)::uuid, url || 'other' || i, 'feed',
       CASE i WHEN 1 THEN 'not_an_article' ELSE 'known_not_due' END, at, at
FROM made, generate_series(1, 5) i;

INSERT INTO core.text (text_hash, article_body, word_count, char_count, load_seq)
SELECT hash, repeat('Words of an invented text. ', 80), 400, 2160, 1 FROM page;

INSERT INTO core.extraction (payload_hash, extractor_id, headline, authors, date_published, date_published_source,
                             date_published_precision, in_language, text_hash, headline_hash, description_hash,
                             authors_hash, body_hash, load_seq)
SELECT hash, 1, 'A headline of ' || outlet, '{A}', at, 'meta', 'second', 'en', hash, 1, 1, 1, 1, 1
FROM page;

INSERT INTO core.article (article_uid, loose_uid, outlet, url, url_rule, first_seen_at, last_seen_at, capture_id,
                          payload_hash, extractor_id, revision_count, load_seq, changed_seq, changed_at,
                          date_published, date_published_day, in_language, word_count)
SELECT article_uid, article_uid, outlet, url, 1, at, at, article_uid, hash, 1, 1, 1, 1, at, at,
       (at AT TIME ZONE 'UTC')::date, 'en', 400
FROM page;

INSERT INTO core.article_count (outlet, published_on, date_published_day, in_language, articles, words)
SELECT outlet, published_on, date_published_day, in_language, count(*), sum(word_count)
FROM core.counted_article GROUP BY 1, 2, 3, 4;

INSERT INTO core.capture (capture_id, article_uid, url_uid, observed_at, captured_by, crawl_id, payload_hash, extractor_id,
                        requested_url, http_status, load_seq)
SELECT article_uid, article_uid, article_uid, at, 'pressmark', crawl_id, hash, 1, url, 200, 1
FROM page;

INSERT INTO core.revision (article_uid, ordinal, capture_id, changed_parts, cause, extractor_id, seen_changed_at, load_seq)
SELECT article_uid, 1, article_uid, '{}', 'first', 1, at, 1 FROM page;

SET session_replication_role = origin;
