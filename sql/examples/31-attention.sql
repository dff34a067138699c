-- How much of the English coverage is about the harbour, week by week, if copies of an article count once?
SELECT period AS week, matches, articles, round(100 * share::numeric, 1)::float AS per_cent
FROM mart.attention('harbour', '2026-01-01', '2026-12-31', by => 'week', language => 'en', copies_once => true)
WHERE articles > 0;
