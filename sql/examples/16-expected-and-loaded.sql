-- Of the articles that sitemaps, archives and WordPress name for a day, how many do we have?
SELECT outlet, day, expected, loaded, expected - loaded AS missing
FROM mart.outlet_coverage
WHERE expected_basis = 'listed'
ORDER BY missing DESC, outlet, day;
