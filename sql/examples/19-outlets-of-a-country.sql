-- Which outlets belonged to a country on a given day, and which domains did they have then?
SELECT country.outlet, array_agg(domain.value ORDER BY domain.value) AS domains
FROM mart.outlet_attribute country
JOIN mart.outlet_attribute domain ON domain.outlet = country.outlet AND domain.attribute = 'domain'
                                 AND COALESCE(domain.valid_from, '-infinity') <= '2026-03-05'
                                 AND COALESCE(domain.valid_until, 'infinity') > '2026-03-05'
WHERE country.attribute = 'country' AND country.value = 'GB'
  AND COALESCE(country.valid_from, '-infinity') <= '2026-03-05'
  AND COALESCE(country.valid_until, 'infinity') > '2026-03-05'
GROUP BY country.outlet
ORDER BY country.outlet;
