-- How far can the texts of each outlet be trusted, week by week?
SELECT outlet, week, articles, mean_confidence, doubtful, from_script, median_words
FROM mart.text_quality
ORDER BY outlet, week;
