-- Which outlets publish texts of which others, how often, and with what delay?
SELECT earlier_outlet, later_outlet, count(*) AS texts, round(avg(similarity)::numeric, 2) AS similarity,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY delay) AS median_delay
FROM mart.syndication_edge
WHERE earlier_outlet <> later_outlet
GROUP BY earlier_outlet, later_outlet
ORDER BY texts DESC, earlier_outlet, later_outlet;
