-- What happened to articles apart from changes of their text?
SELECT kind, outlet, url, observed_at, detail
FROM mart.article_event
WHERE kind <> 'confirmed'
ORDER BY observed_at DESC, kind;
