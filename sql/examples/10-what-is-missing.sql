-- Which fields are often missing at which outlets, so that comparing outlets by them would be unfair?
SELECT outlet, field, articles, filled, share
FROM mart.field_coverage
WHERE share < 0.9
ORDER BY share, outlet, field;
