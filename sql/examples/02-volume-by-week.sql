-- How many articles did each outlet publish a week, weeks without any included?
SELECT outlet, date_trunc('week', day)::date AS week, sum(published)::integer AS published, sum(words)::integer AS words
FROM mart.daily_volume
GROUP BY outlet, week
ORDER BY outlet, week;
