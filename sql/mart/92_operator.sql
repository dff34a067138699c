CREATE VIEW mart.outlet_day AS
SELECT outlet, day, new_articles, new_by_hour, with_date, with_authors, median_words, mean_confidence, crawls,
       failed_crawls, requested, kept, outcomes, counted_at
FROM ops.outlet_day;

COMMENT ON VIEW mart.outlet_day IS 'Counters for operators: one row per outlet and day of the last weeks, counted at health checks. mart.daily_volume and mart.crawl_funnel have the exact figures.';
COMMENT ON COLUMN mart.outlet_day.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_day.day IS 'Day (UTC).';
COMMENT ON COLUMN mart.outlet_day.new_articles IS 'Articles first captured on the day, without those of backfills.';
COMMENT ON COLUMN mart.outlet_day.new_by_hour IS 'The same by hour of the day: 24 numbers.';
COMMENT ON COLUMN mart.outlet_day.with_date IS 'How many of them have a publication date.';
COMMENT ON COLUMN mart.outlet_day.with_authors IS 'How many of them have an author.';
COMMENT ON COLUMN mart.outlet_day.median_words IS 'Median number of words of their texts; null without articles.';
COMMENT ON COLUMN mart.outlet_day.mean_confidence IS 'Mean confidence of their texts; null if none has one.';
COMMENT ON COLUMN mart.outlet_day.crawls IS 'Crawls that began on the day.';
COMMENT ON COLUMN mart.outlet_day.failed_crawls IS 'How many of them failed.';
COMMENT ON COLUMN mart.outlet_day.requested IS 'Candidates of these crawls that were requested.';
COMMENT ON COLUMN mart.outlet_day.kept IS 'How many of them are the page of an article.';
COMMENT ON COLUMN mart.outlet_day.outcomes IS 'Number of candidates of these crawls by outcome.';
COMMENT ON COLUMN mart.outlet_day.counted_at IS 'When the row was counted.';

CREATE VIEW mart.load_queue AS
SELECT segment.outlet, segment.state, count(*) AS segments, sum(segment.captures)::bigint AS captures,
       min(segment.committed_at) AS oldest, max(segment.error) AS error
FROM ops.segment
WHERE segment.state <> 'loaded'
GROUP BY segment.outlet, segment.state;

COMMENT ON VIEW mart.load_queue IS 'Segments that are not loaded, by outlet and state.';
COMMENT ON COLUMN mart.load_queue.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.load_queue.state IS 'committed: waits to be loaded. failed: could not be loaded; `pressmark load --retry-failed` tries again.';
COMMENT ON COLUMN mart.load_queue.segments IS 'Number of segments.';
COMMENT ON COLUMN mart.load_queue.captures IS 'Number of captures in them.';
COMMENT ON COLUMN mart.load_queue.oldest IS 'When the oldest of them was committed.';
COMMENT ON COLUMN mart.load_queue.error IS 'Error of one of them.';

CREATE VIEW mart.storage AS
SELECT measured_on, database_bytes, archive_bytes, log_bytes, articles FROM ops.storage_stats;

COMMENT ON VIEW mart.storage IS 'Storage used, one row per day.';
COMMENT ON COLUMN mart.storage.measured_on IS 'Day of the measurement (UTC).';
COMMENT ON COLUMN mart.storage.database_bytes IS 'Size of the warehouse database.';
COMMENT ON COLUMN mart.storage.archive_bytes IS 'Size of the archive.';
COMMENT ON COLUMN mart.storage.log_bytes IS 'Size of the logs in the home folder.';
COMMENT ON COLUMN mart.storage.articles IS 'Number of articles.';

CREATE VIEW mart.outlet_file AS
SELECT outlet, first_used_at, config FROM ops.outlet_config;

COMMENT ON VIEW mart.outlet_file IS 'Every version of an outlet''s file that a crawl used.';
COMMENT ON COLUMN mart.outlet_file.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_file.first_used_at IS 'When a crawl request first used this version.';
COMMENT ON COLUMN mart.outlet_file.config IS 'The configuration, with its defaults.';

CREATE VIEW mart.reextraction AS
SELECT reextraction_id, outlets, since, until, state, requested_by, created_at, payloads, failed, comparison, decided_at
FROM ops.reextraction;

COMMENT ON VIEW mart.reextraction IS 'Re-extractions: archived pages processed again by the current extractor, and the decision about the result.';
COMMENT ON COLUMN mart.reextraction.reextraction_id IS 'Key.';
COMMENT ON COLUMN mart.reextraction.outlets IS 'Outlets whose pages were re-extracted.';
COMMENT ON COLUMN mart.reextraction.since IS 'Only pages observed at or after this time; null for all.';
COMMENT ON COLUMN mart.reextraction.until IS 'Only pages observed before this time; null for all.';
COMMENT ON COLUMN mart.reextraction.state IS 'extracted (awaits a decision), promoted, discarded or rolled_back.';
COMMENT ON COLUMN mart.reextraction.requested_by IS 'Person or DAG that requested the re-extraction.';
COMMENT ON COLUMN mart.reextraction.created_at IS 'When it was requested.';
COMMENT ON COLUMN mart.reextraction.payloads IS 'Number of pages.';
COMMENT ON COLUMN mart.reextraction.failed IS 'How many of them could not be extracted.';
COMMENT ON COLUMN mart.reextraction.comparison IS 'By field: pages that had it, have it now, and differ.';
COMMENT ON COLUMN mart.reextraction.decided_at IS 'When it was promoted, discarded or rolled back.';

CREATE VIEW mart.reextraction_sample AS
SELECT page.reextraction_id, capture.article_uid, article.outlet, article.url, old.headline AS headline_before,
       new.headline AS headline, old.authors AS authors_before, new.authors AS authors,
       old.date_published AS date_published_before, new.date_published, old_text.article_body AS article_body_before,
       new_text.article_body, old_text.word_count AS words_before, new_text.word_count AS words
FROM ops.reextraction_page page
JOIN core.extraction old ON old.payload_hash = page.payload_hash AND old.extractor_id = page.before_extractor_id
JOIN core.extraction new ON new.payload_hash = page.payload_hash AND new.extractor_id = page.extractor_id
LEFT JOIN core.text old_text ON old_text.text_hash = old.text_hash
LEFT JOIN core.text new_text ON new_text.text_hash = new.text_hash
JOIN LATERAL (SELECT article_uid FROM core.capture WHERE capture.payload_hash = page.payload_hash LIMIT 1) capture ON true
JOIN core.article ON article.article_uid = capture.article_uid AND article.hidden_seq IS NULL
WHERE old.headline IS DISTINCT FROM new.headline OR old.text_hash IS DISTINCT FROM new.text_hash
   OR old.authors IS DISTINCT FROM new.authors OR old.date_published IS DISTINCT FROM new.date_published;

COMMENT ON VIEW mart.reextraction_sample IS 'Pages of a re-extraction whose headline, text, authors or date differ, before and after.';
COMMENT ON COLUMN mart.reextraction_sample.reextraction_id IS 'Re-extraction (mart.reextraction).';
COMMENT ON COLUMN mart.reextraction_sample.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.reextraction_sample.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.reextraction_sample.url IS 'URL of the article.';
COMMENT ON COLUMN mart.reextraction_sample.headline_before IS 'Headline in use before.';
COMMENT ON COLUMN mart.reextraction_sample.headline IS 'Headline by the current extractor.';
COMMENT ON COLUMN mart.reextraction_sample.authors_before IS 'Authors in use before.';
COMMENT ON COLUMN mart.reextraction_sample.authors IS 'Authors by the current extractor.';
COMMENT ON COLUMN mart.reextraction_sample.date_published_before IS 'Publication date in use before.';
COMMENT ON COLUMN mart.reextraction_sample.date_published IS 'Publication date by the current extractor.';
COMMENT ON COLUMN mart.reextraction_sample.article_body_before IS 'Text in use before.';
COMMENT ON COLUMN mart.reextraction_sample.article_body IS 'Text by the current extractor.';
COMMENT ON COLUMN mart.reextraction_sample.words_before IS 'Number of words before.';
COMMENT ON COLUMN mart.reextraction_sample.words IS 'Number of words by the current extractor.';

CREATE VIEW mart.url_decision AS
SELECT candidate.url_uid, candidate.url, candidate.decided_at, COALESCE(candidate.outcome, 'open') AS outcome,
       candidate.reason, candidate.discovered_via, candidate.crawl_id
FROM ops.candidate;

COMMENT ON VIEW mart.url_decision IS 'The ledger: what each crawl decided on each URL. Filter it by url_uid, url or crawl_id; it is large.';
COMMENT ON COLUMN mart.url_decision.url_uid IS 'Identity of the URL; that of an article''s URL is its article_uid or in mart.article_url.';
COMMENT ON COLUMN mart.url_decision.url IS 'The URL.';
COMMENT ON COLUMN mart.url_decision.decided_at IS 'When the crawl decided on it.';
COMMENT ON COLUMN mart.url_decision.outcome IS 'Outcome (mart.outcome), or open while the crawl runs.';
COMMENT ON COLUMN mart.url_decision.reason IS 'Explanation of the outcome for this URL.';
COMMENT ON COLUMN mart.url_decision.discovered_via IS 'Method that listed the URL.';
COMMENT ON COLUMN mart.url_decision.crawl_id IS 'Crawl (mart.crawl).';
