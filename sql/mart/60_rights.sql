CREATE VIEW mart.outlet_rights AS
WITH kept AS (
    SELECT a.outlet, count(*) AS articles,
           count(*) FILTER (WHERE v.rights->'robots' ?| ARRAY['noarchive', 'none']) AS noarchive,
           count(*) FILTER (WHERE v.rights->'robots' ?| ARRAY['noai', 'noimageai']) AS noai,
           count(*) FILTER (WHERE COALESCE(v.rights->>'tdm_reservation', v.rights->'site'->>'tdm_reservation') = 'true')
               AS tdm_reserved,
           count(*) FILTER (WHERE v.rights ? 'license') AS licensed
    FROM core.article a
    JOIN core.capture v ON v.capture_id = a.capture_id
    WHERE a.merged_into IS NULL AND a.hidden_seq IS NULL
    GROUP BY a.outlet
),
refused AS (
    SELECT w.outlet,
           count(DISTINCT c.url_uid) FILTER (WHERE c.outcome = 'robots_denied') AS robots_denied,
           count(DISTINCT c.url_uid) FILTER (WHERE c.outcome = 'rights_reserved') AS rights_reserved,
           count(DISTINCT c.url_uid) FILTER (WHERE c.outcome = 'noindex') AS noindex
    FROM ops.candidate c
    JOIN ops.crawl w ON w.crawl_id = c.crawl_id
    WHERE c.outcome IN ('robots_denied', 'rights_reserved', 'noindex')
    GROUP BY w.outlet
)
SELECT o.outlet,
       r.http_status AS robots_status, r.checked_at AS robots_looked_at, r.first_seen_at AS robots_since, r.body AS robots_txt,
       t.http_status AS tdmrep_status, t.first_seen_at AS tdmrep_since, t.body AS tdmrep_json,
       s.stated->'content_signal' AS content_signal, s.stated->'content_usage' AS content_usage,
       s.stated->'license' AS license,
       COALESCE(k.articles, 0) AS articles, COALESCE(k.noarchive, 0) AS noarchive, COALESCE(k.noai, 0) AS noai,
       COALESCE(k.tdm_reserved, 0) AS tdm_reserved, COALESCE(k.licensed, 0) AS licensed,
       COALESCE(d.robots_denied, 0) AS robots_denied, COALESCE(d.rights_reserved, 0) AS rights_reserved,
       COALESCE(d.noindex, 0) AS noindex
FROM core.outlet o
LEFT JOIN kept k ON k.outlet = o.outlet
LEFT JOIN refused d ON d.outlet = o.outlet
LEFT JOIN LATERAL (
    SELECT l.http_status, l.checked_at, f.first_seen_at, encode(f.body, 'escape') AS body
    FROM ops.site_policy_check l
    LEFT JOIN core.site_policy f ON f.site = l.site AND f.kind = l.kind AND f.body_hash = l.body_hash
    WHERE l.kind = 'robots' AND l.site = substring(o.home FROM '^https?://[^/]+')
) r ON true
LEFT JOIN LATERAL (
    SELECT l.http_status, f.first_seen_at, encode(f.body, 'escape') AS body
    FROM ops.site_policy_check l
    LEFT JOIN core.site_policy f ON f.site = l.site AND f.kind = l.kind AND f.body_hash = l.body_hash
    WHERE l.kind = 'tdmrep' AND l.site = substring(o.home FROM '^https?://[^/]+')
) t ON true
LEFT JOIN LATERAL (
    SELECT v.rights->'site' AS stated
    FROM core.article a
    JOIN core.capture v ON v.capture_id = a.capture_id
    WHERE a.outlet = o.outlet
    ORDER BY a.last_seen_at DESC, a.article_uid
    LIMIT 1
) s ON true;

COMMENT ON VIEW mart.outlet_rights IS 'What each outlet states of the use of its articles, and what came of it. What held for a single article stands in mart.article.rights.';
COMMENT ON COLUMN mart.outlet_rights.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.outlet_rights.robots_status IS 'Status of the last look at robots.txt of its home; null where no answer came.';
COMMENT ON COLUMN mart.outlet_rights.robots_looked_at IS 'When that was.';
COMMENT ON COLUMN mart.outlet_rights.robots_since IS 'Since when it says what it says.';
COMMENT ON COLUMN mart.outlet_rights.robots_txt IS 'What it says; bytes outside of ASCII are escaped.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_status IS 'Status of the last look at /.well-known/tdmrep.json.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_since IS 'Since when it says what it says.';
COMMENT ON COLUMN mart.outlet_rights.tdmrep_json IS 'What it says; bytes outside of ASCII are escaped.';
COMMENT ON COLUMN mart.outlet_rights.content_signal IS 'Content-Signal of robots.txt at the last capture, as search, ai-input, ai-train.';
COMMENT ON COLUMN mart.outlet_rights.content_usage IS 'Content-Usage (AIPREF) of robots.txt for the page last visited.';
COMMENT ON COLUMN mart.outlet_rights.license IS 'Licences that robots.txt names (RSL).';
COMMENT ON COLUMN mart.outlet_rights.articles IS 'Articles in the warehouse.';
COMMENT ON COLUMN mart.outlet_rights.noarchive IS 'Of these, pages that forbid an archived copy.';
COMMENT ON COLUMN mart.outlet_rights.noai IS 'Of these, pages that say noai or noimageai.';
COMMENT ON COLUMN mart.outlet_rights.tdm_reserved IS 'Of these, pages with a TDM reservation that the installation had a basis to read.';
COMMENT ON COLUMN mart.outlet_rights.licensed IS 'Of these, pages that name a licence.';
COMMENT ON COLUMN mart.outlet_rights.robots_denied IS 'Addresses that were not fetched because robots.txt forbids them.';
COMMENT ON COLUMN mart.outlet_rights.rights_reserved IS 'Addresses left out for a TDM reservation.';
COMMENT ON COLUMN mart.outlet_rights.noindex IS 'Addresses left out because their page asks not to be indexed.';
