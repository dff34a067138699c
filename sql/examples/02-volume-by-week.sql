-- How many articles did each outlet publish a week, and on how many of its days did we look?
SELECT outlet, date_trunc('week', day)::date AS week, sum(published)::integer AS published, sum(words)::integer AS words,
       count(*) FILTER (WHERE observed) AS days_observed
FROM mart.daily_volume
GROUP BY outlet, week
ORDER BY outlet, week;
