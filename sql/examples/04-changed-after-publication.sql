-- Which articles changed after publication, which parts changed, and when?
SELECT outlet, url, ordinal, changed_parts, unchanged_until, seen_changed_at
FROM mart.article_revision
WHERE ordinal > 1 AND cause = 'publisher'
ORDER BY seen_changed_at DESC;
