CREATE VIEW mart.outcome AS
SELECT outcome, class, meaning FROM core.outcome;

COMMENT ON VIEW mart.outcome IS 'How a candidate can end in a crawl, and what that means.';
COMMENT ON COLUMN mart.outcome.outcome IS 'Name.';
COMMENT ON COLUMN mart.outcome.class IS 'not_requested: we did not ask. no_response: no usable answer. refused: an answer that is no article or broke us. kept: an article''s page.';
COMMENT ON COLUMN mart.outcome.meaning IS 'One sentence.';

CREATE VIEW mart.rejected_url AS
SELECT c.outlet, c.url, c.outcome, o.class, c.reason, o.meaning, c.decided_at, c.crawl_id, c.discovered_via, c.times,
       g.file AS archive_file, g.base_offset + q.archive_offset AS archive_offset, q.archive_length
FROM (
    SELECT DISTINCT ON (w.outlet, x.url_uid)  -- an address is one outlet's; so a condition on the outlet comes first
           w.outlet, x.url_uid, x.url, x.outcome, x.reason, x.decided_at, x.crawl_id, x.discovered_via,
           count(*) OVER (PARTITION BY w.outlet, x.url_uid, x.outcome) AS times
    FROM ops.candidate x
    JOIN ops.crawl w ON w.crawl_id = x.crawl_id
    WHERE x.outcome NOT IN ('known_not_due', 'suppressed')
    ORDER BY w.outlet, x.url_uid, x.decided_at DESC, x.crawl_id
) c
-- An article that is merely left out of a window, or whose revisit failed, is an article all the same.
JOIN core.outcome o ON o.outcome = c.outcome AND o.class <> 'kept'
                   AND (o.outcome IN ('gone', 'redirect_home') OR NOT EXISTS (
                       SELECT 1 FROM ops.frontier f WHERE f.url_uid = c.url_uid AND f.article_uid IS NOT NULL))
LEFT JOIN ops.quarantine q ON q.crawl_id = c.crawl_id AND q.url_uid = c.url_uid
LEFT JOIN core.archive_segment g ON g.segment_id = q.segment_id AND g.expired_at IS NULL;

COMMENT ON VIEW mart.rejected_url IS 'Addresses that are no article at present, with how the last crawl that decided on them ended them: a row an address.';
COMMENT ON COLUMN mart.rejected_url.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.rejected_url.url IS 'The address.';
COMMENT ON COLUMN mart.rejected_url.outcome IS 'Outcome (mart.outcome).';
COMMENT ON COLUMN mart.rejected_url.class IS 'not_requested, no_response or refused.';
COMMENT ON COLUMN mart.rejected_url.reason IS 'Why, in words, for this address.';
COMMENT ON COLUMN mart.rejected_url.meaning IS 'What the outcome means.';
COMMENT ON COLUMN mart.rejected_url.decided_at IS 'When that crawl decided on it.';
COMMENT ON COLUMN mart.rejected_url.crawl_id IS 'That crawl.';
COMMENT ON COLUMN mart.rejected_url.discovered_via IS 'Method that listed it then.';
COMMENT ON COLUMN mart.rejected_url.times IS 'Crawls that ended it with this outcome.';
COMMENT ON COLUMN mart.rejected_url.archive_file IS 'WARC file of the page that was refused, where it is kept.';
COMMENT ON COLUMN mart.rejected_url.archive_offset IS 'Byte of its record in the file.';
COMMENT ON COLUMN mart.rejected_url.archive_length IS 'Compressed length of the record.';

CREATE VIEW mart.field_coverage AS
SELECT a.outlet, f.field, count(*) AS articles, count(*) FILTER (WHERE f.filled) AS filled,
       round(count(*) FILTER (WHERE f.filled) / count(*)::numeric, 3) AS share
FROM mart.article a
CROSS JOIN LATERAL (VALUES
    ('headline', a.headline IS NOT NULL),
    ('description', a.description IS NOT NULL),
    ('authors', cardinality(a.authors) > 0),
    ('date_published', a.date_published IS NOT NULL),
    ('date_published with time', a.date_published_precision <> 'day'),
    ('date_modified', a.date_modified IS NOT NULL),
    ('in_language', a.in_language IS NOT NULL),
    ('article_section', a.article_section IS NOT NULL),
    ('keywords', cardinality(a.keywords) > 0),
    ('main_image', a.main_image IS NOT NULL),
    ('is_accessible_for_free', a.is_accessible_for_free IS NOT NULL),
    ('canonical_url', a.canonical_url IS NOT NULL),
    ('article_body', a.word_count >= 50),
    ('archive_file', a.archive_file IS NOT NULL)
) AS f (field, filled)
GROUP BY a.outlet, f.field;

COMMENT ON VIEW mart.field_coverage IS 'How many articles of an outlet have each field: a row an outlet and field. A share that falls tells of a changed layout.';
COMMENT ON COLUMN mart.field_coverage.outlet IS 'Slug of the outlet.';
COMMENT ON COLUMN mart.field_coverage.field IS 'Column of mart.article; article_body counts with 50 words or more.';
COMMENT ON COLUMN mart.field_coverage.articles IS 'Articles of the outlet.';
COMMENT ON COLUMN mart.field_coverage.filled IS 'Those that have the field.';
COMMENT ON COLUMN mart.field_coverage.share IS 'filled / articles.';
