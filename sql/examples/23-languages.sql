-- In which languages, how many articles and how long?
SELECT in_language, count(*) AS articles, count(DISTINCT outlet) AS outlets,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY word_count) AS median_words
FROM mart.article
GROUP BY in_language
ORDER BY articles DESC, in_language;
