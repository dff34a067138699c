-- Which texts are the longest, counting each copied text once?
SELECT outlet, headline, word_count, copies
FROM mart.article_deduplicated
ORDER BY word_count DESC, outlet, headline
LIMIT 10;
