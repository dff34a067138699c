-- Which are the longest texts, each counted once?
SELECT outlet, headline, word_count, copies
FROM mart.article_deduplicated
ORDER BY word_count DESC, outlet, headline
LIMIT 10;
