-- Which articles were changed after publication, what in them, and between which times?
SELECT outlet, url, ordinal, changed_parts, unchanged_until, seen_changed_at
FROM mart.article_revision
WHERE ordinal > 1 AND cause = 'publisher'
ORDER BY seen_changed_at DESC;
