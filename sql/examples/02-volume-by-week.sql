-- How many articles did each outlet publish per week, and how many days of the week were observed?
SELECT outlet, date_trunc('week', day)::date AS week, sum(published)::integer AS published,
       sum(words)::integer AS words, count(*) FILTER (WHERE observed) AS days_observed
FROM mart.daily_volume
GROUP BY outlet, week
ORDER BY outlet, week;
