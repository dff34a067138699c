-- How many of the articles that sitemaps, daily archives and WordPress list for a day are loaded?
SELECT outlet, day, expected, loaded, expected - loaded AS missing
FROM mart.outlet_coverage
WHERE expected_basis = 'listed'
ORDER BY missing DESC, outlet, day;
