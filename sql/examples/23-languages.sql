-- How many articles are there per language, and how long are they?
SELECT in_language, count(*) AS articles, count(DISTINCT outlet) AS outlets,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY word_count) AS median_words
FROM mart.article
GROUP BY in_language
ORDER BY articles DESC, in_language;
