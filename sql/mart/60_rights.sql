CREATE VIEW mart.outlet_rights AS
WITH kept AS (
    SELECT article.outlet, count(*) AS articles,
           count(*) FILTER (WHERE capture.rights->'robots' ?| ARRAY['noarchive', 'none']) AS noarchive,
           count(*) FILTER (WHERE capture.rights->'robots' ?| ARRAY['noai', 'noimageai']) AS noai,
           count(*) FILTER (WHERE COALESCE(capture.rights->>'tdm_reservation',
                                           capture.rights->'site'->>'tdm_reservation') = 'true')
               AS tdm_reserved,
           count(*) FILTER (WHERE capture.rights ? 'license') AS licensed
    FROM core.article
    JOIN core.capture ON capture.capture_id = article.capture_id
    WHERE article.merged_into IS NULL AND article.hidden_seq IS NULL
    GROUP BY article.outlet
),
refused AS (
    SELECT crawl.outlet,
           count(DISTINCT candidate.url_uid) FILTER (WHERE candidate.outcome = 'robots_denied') AS robots_denied,
           count(DISTINCT candidate.url_uid) FILTER (WHERE candidate.outcome = 'rights_reserved') AS rights_reserved,
           count(DISTINCT candidate.url_uid) FILTER (WHERE candidate.outcome = 'noindex') AS noindex
    FROM ops.candidate
    JOIN ops.crawl ON crawl.crawl_id = candidate.crawl_id
    WHERE candidate.outcome IN ('robots_denied', 'rights_reserved', 'noindex')
    GROUP BY crawl.outlet
)
SELECT outlet.outlet,
       robots.http_status AS robots_status, robots.checked_at AS robots_checked_at, robots.first_seen_at AS robots_since,
       robots.body AS robots_txt,
       tdmrep.http_status AS tdmrep_status, tdmrep.first_seen_at AS tdmrep_since, tdmrep.body AS tdmrep_json,
       latest.stated->'content_signal' AS content_signal, latest.stated->'content_usage' AS content_usage,
       latest.stated->'license' AS license,
       COALESCE(kept.articles, 0) AS articles, COALESCE(kept.noarchive, 0) AS noarchive, COALESCE(kept.noai, 0) AS noai,
       COALESCE(kept.tdm_reserved, 0) AS tdm_reserved, COALESCE(kept.licensed, 0) AS licensed,
       COALESCE(refused.robots_denied, 0) AS robots_denied, COALESCE(refused.rights_reserved, 0) AS rights_reserved,
       COALESCE(refused.noindex, 0) AS noindex
FROM core.outlet
LEFT JOIN kept ON kept.outlet = outlet.outlet
LEFT JOIN refused ON refused.outlet = outlet.outlet
LEFT JOIN LATERAL (
    SELECT policy_check.http_status, policy_check.checked_at, policy.first_seen_at,
           encode(policy.body, 'escape') AS body
    FROM ops.site_policy_check policy_check
    LEFT JOIN core.site_policy policy ON policy.site = policy_check.site AND policy.kind = policy_check.kind
        AND policy.body_hash = policy_check.body_hash
    WHERE policy_check.kind = 'robots' AND policy_check.site = substring(outlet.home FROM '^https?://[^/]+')
) robots ON true
LEFT JOIN LATERAL (
    SELECT policy_check.http_status, policy.first_seen_at, encode(policy.body, 'escape') AS body
    FROM ops.site_policy_check policy_check
    LEFT JOIN core.site_policy policy ON policy.site = policy_check.site AND policy.kind = policy_check.kind
        AND policy.body_hash = policy_check.body_hash
    WHERE policy_check.kind = 'tdmrep' AND policy_check.site = substring(outlet.home FROM '^https?://[^/]+')
) tdmrep ON true
LEFT JOIN LATERAL (
    SELECT capture.rights->'site' AS stated
    FROM core.article
    JOIN core.capture ON capture.capture_id = article.capture_id
    WHERE article.outlet = outlet.outlet
    ORDER BY article.last_seen_at DESC, article.article_uid
    LIMIT 1
) latest ON true;

COMMENT ON VIEW mart.outlet_rights IS 'Rights that each outlet declares for the use of its articles, and their effect. mart.article.rights has the signals of a single article.';
COMMENT ON COLUMN mart.outlet_rights.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_rights.robots_status IS 'HTTP status code of the last check of robots.txt on the home host; null if there was no response.';
COMMENT ON COLUMN mart.outlet_rights.robots_checked_at IS 'When robots.txt was last checked.';
COMMENT ON COLUMN mart.outlet_rights.robots_since IS 'When the current robots.txt was first observed.';
COMMENT ON COLUMN mart.outlet_rights.robots_txt IS 'Content of robots.txt. Non-ASCII bytes are escaped.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_status IS 'HTTP status code of the last check of /.well-known/tdmrep.json.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_since IS 'When the current tdmrep.json was first observed.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_json IS 'Content of tdmrep.json. Non-ASCII bytes are escaped.';
COMMENT ON COLUMN mart.outlet_rights.content_signal IS 'Content-Signal in robots.txt at the last capture: search, ai-input, ai-train.';
COMMENT ON COLUMN mart.outlet_rights.content_usage IS 'Content-Usage (AIPREF) in robots.txt for the last captured page.';
COMMENT ON COLUMN mart.outlet_rights.license IS 'Licences named in robots.txt (RSL).';
COMMENT ON COLUMN mart.outlet_rights.articles IS 'Number of articles in the warehouse.';
COMMENT ON COLUMN mart.outlet_rights.noarchive IS 'Articles whose page forbids an archived copy.';
COMMENT ON COLUMN mart.outlet_rights.noai IS 'Articles whose page declares noai or noimageai.';
COMMENT ON COLUMN mart.outlet_rights.tdm_reserved IS 'Articles whose page has a TDM reservation that the installation had a basis to process.';
COMMENT ON COLUMN mart.outlet_rights.licensed IS 'Articles whose page names a licence.';
COMMENT ON COLUMN mart.outlet_rights.robots_denied IS 'URLs not fetched because robots.txt disallows them.';
COMMENT ON COLUMN mart.outlet_rights.rights_reserved IS 'URLs skipped because of a TDM reservation.';
COMMENT ON COLUMN mart.outlet_rights.noindex IS 'URLs skipped because their page asks not to be indexed.';
