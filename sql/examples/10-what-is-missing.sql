-- Which fields does an outlet's pages not give, so that a comparison by them would be unfair?
SELECT outlet, field, articles, filled, share
FROM mart.field_coverage
WHERE share < 0.9
ORDER BY share, outlet, field;
