CREATE VIEW mart.outcome AS
SELECT outcome, class, meaning FROM core.outcome;

COMMENT ON VIEW mart.outcome IS 'The possible results of a candidate in a crawl, with their meaning.';
COMMENT ON COLUMN mart.outcome.outcome IS 'Name of the outcome.';
COMMENT ON COLUMN mart.outcome.class IS 'not_requested: the URL was not requested. no_response: no usable response arrived. refused: a response arrived but was not kept as an article. kept: the response is the page of an article.';
COMMENT ON COLUMN mart.outcome.meaning IS 'One sentence that explains the outcome.';

CREATE VIEW mart.rejected_url AS
SELECT latest.outlet, latest.url, latest.outcome, outcome.class, latest.reason, outcome.meaning, latest.decided_at,
       latest.crawl_id, latest.discovered_via, latest.times,
       segment.file AS archive_file, segment.base_offset + quarantine.archive_offset AS archive_offset,
       quarantine.archive_length
FROM (
    -- The outlet comes first, so that a filter on it is pushed down. A URL belongs to one outlet.
    SELECT DISTINCT ON (crawl.outlet, candidate.url_uid)
           crawl.outlet, candidate.url_uid, candidate.url, candidate.outcome, candidate.reason, candidate.decided_at,
           candidate.crawl_id, candidate.discovered_via,
           count(*) OVER (PARTITION BY crawl.outlet, candidate.url_uid, candidate.outcome) AS times
    FROM ops.candidate
    JOIN ops.crawl ON crawl.crawl_id = candidate.crawl_id
    WHERE candidate.outcome NOT IN ('known_not_due', 'suppressed')
    ORDER BY crawl.outlet, candidate.url_uid, candidate.decided_at DESC, candidate.crawl_id
) latest
-- A stored article stays an article if a window crawl skipped it or its revisit failed.
JOIN core.outcome ON outcome.outcome = latest.outcome AND outcome.class <> 'kept'
                   AND (outcome.outcome IN ('gone', 'redirect_home') OR NOT EXISTS (
                       SELECT 1 FROM ops.frontier
                       WHERE frontier.url_uid = latest.url_uid AND frontier.article_uid IS NOT NULL))
LEFT JOIN ops.quarantine ON quarantine.crawl_id = latest.crawl_id AND quarantine.url_uid = latest.url_uid
LEFT JOIN core.archive_segment segment ON segment.segment_id = quarantine.segment_id AND segment.expired_at IS NULL;

COMMENT ON VIEW mart.rejected_url IS 'One row per URL that is currently not an article, with the outcome of the last crawl that decided on it.';
COMMENT ON COLUMN mart.rejected_url.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.rejected_url.url IS 'The URL.';
COMMENT ON COLUMN mart.rejected_url.outcome IS 'Outcome (mart.outcome).';
COMMENT ON COLUMN mart.rejected_url.class IS 'not_requested, no_response or refused.';
COMMENT ON COLUMN mart.rejected_url.reason IS 'Explanation of the outcome for this URL.';
COMMENT ON COLUMN mart.rejected_url.meaning IS 'General meaning of the outcome.';
COMMENT ON COLUMN mart.rejected_url.decided_at IS 'When the last crawl decided on the URL.';
COMMENT ON COLUMN mart.rejected_url.crawl_id IS 'Last crawl that decided on the URL (mart.crawl).';
COMMENT ON COLUMN mart.rejected_url.discovered_via IS 'Method that listed the URL in that crawl.';
COMMENT ON COLUMN mart.rejected_url.times IS 'Number of crawls that gave the URL this outcome.';
COMMENT ON COLUMN mart.rejected_url.archive_file IS 'WARC file of the rejected page; null if it is not kept.';
COMMENT ON COLUMN mart.rejected_url.archive_offset IS 'Byte offset of the WARC record in the file.';
COMMENT ON COLUMN mart.rejected_url.archive_length IS 'Compressed length of the WARC record in bytes.';

CREATE VIEW mart.text_quality AS
SELECT article.outlet, date_trunc('week', article.first_seen_at AT TIME ZONE 'UTC')::date AS week,
       count(*) AS articles, round(avg(article.extraction_confidence)::numeric, 3) AS mean_confidence,
       count(*) FILTER (WHERE article.extraction_confidence < 0.7) AS doubtful,
       count(*) FILTER (WHERE article.extraction_confidence IS NULL) AS from_script,
       percentile_disc(0.5) WITHIN GROUP (ORDER BY article.word_count) AS median_words
FROM mart.article
GROUP BY article.outlet, week;

COMMENT ON VIEW mart.text_quality IS 'One row per outlet and week of the first capture: how far the texts can be trusted. A drop shows that the outlet''s pages have changed.';
COMMENT ON COLUMN mart.text_quality.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.text_quality.week IS 'Monday of the week (UTC).';
COMMENT ON COLUMN mart.text_quality.articles IS 'Articles first captured in the week.';
COMMENT ON COLUMN mart.text_quality.mean_confidence IS 'Mean extraction_confidence.';
COMMENT ON COLUMN mart.text_quality.doubtful IS 'Articles with a confidence below 0.7.';
COMMENT ON COLUMN mart.text_quality.from_script IS 'Articles whose text comes from a script, so that they have no confidence, and articles that were extracted before there was one.';
COMMENT ON COLUMN mart.text_quality.median_words IS 'Median number of words of the texts.';

CREATE VIEW mart.date_quality AS
SELECT article.outlet, count(*) AS articles,
       count(*) FILTER (WHERE article.date_published IS NULL) AS without_date,
       count(*) FILTER (WHERE article.date_published_precision = 'day') AS day_only,
       count(*) FILTER (WHERE article.date_published_flag = 'ambiguous') AS ambiguous,
       count(*) FILTER (WHERE article.date_published_flag = 'zone_assumed') AS zone_assumed,
       count(*) FILTER (WHERE article.date_published_flag IN ('future', 'too_early', 'unparsable')) AS implausible,
       count(*) FILTER (WHERE article.date_published_conflict) AS conflicting,
       count(*) FILTER (WHERE core.date_rank(article.date_published_source) IN (3, 6, 7)) AS from_listing
FROM mart.article
GROUP BY article.outlet;

COMMENT ON VIEW mart.date_quality IS 'One row per outlet: how many of its articles have an uncertain publication date, and why.';
COMMENT ON COLUMN mart.date_quality.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.date_quality.articles IS 'Number of articles.';
COMMENT ON COLUMN mart.date_quality.without_date IS 'Articles without a publication date.';
COMMENT ON COLUMN mart.date_quality.day_only IS 'Articles of which only the day is known.';
COMMENT ON COLUMN mart.date_quality.ambiguous IS 'Articles whose page gives a date with two readings, such as 04/03/2026.';
COMMENT ON COLUMN mart.date_quality.zone_assumed IS 'Articles whose page gives a time without a usable zone. The outlet''s zone was assumed.';
COMMENT ON COLUMN mart.date_quality.implausible IS 'Articles whose page gives a date that is in the future, a placeholder or unreadable.';
COMMENT ON COLUMN mart.date_quality.conflicting IS 'Articles whose page and listing disagree by more than a day.';
COMMENT ON COLUMN mart.date_quality.from_listing IS 'Articles whose date comes from a feed, a sitemap, an archive page or the URL.';

CREATE VIEW mart.field_coverage AS
SELECT article.outlet, checked.field, count(*) AS articles, count(*) FILTER (WHERE checked.filled) AS filled,
       round(count(*) FILTER (WHERE checked.filled) / count(*)::numeric, 3) AS share
FROM mart.article
CROSS JOIN LATERAL (VALUES
    ('headline', article.headline IS NOT NULL),
    ('description', article.description IS NOT NULL),
    ('authors', cardinality(article.authors) > 0),
    ('date_published', article.date_published IS NOT NULL),
    ('date_published with time', article.date_published_precision <> 'day'),
    ('date_modified', article.date_modified IS NOT NULL),
    ('in_language', article.in_language IS NOT NULL),
    ('article_section', article.article_section IS NOT NULL),
    ('keywords', cardinality(article.keywords) > 0),
    ('main_image', article.main_image IS NOT NULL),
    ('is_accessible_for_free', article.is_accessible_for_free IS NOT NULL),
    ('canonical_url', article.canonical_url IS NOT NULL),
    ('article_body', article.word_count >= 50),
    ('archive_file', article.archive_file IS NOT NULL)
) AS checked (field, filled)
GROUP BY article.outlet, checked.field;

COMMENT ON VIEW mart.field_coverage IS 'One row per outlet and field, with the share of articles that have it. A falling share suggests a changed page layout.';
COMMENT ON COLUMN mart.field_coverage.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.field_coverage.field IS 'Column of mart.article. article_body counts as filled from 50 words on.';
COMMENT ON COLUMN mart.field_coverage.articles IS 'Number of articles of the outlet.';
COMMENT ON COLUMN mart.field_coverage.filled IS 'Number of articles that have the field.';
COMMENT ON COLUMN mart.field_coverage.share IS 'filled / articles.';
