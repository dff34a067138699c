-- Which outlets were of a country on a day, and which domains were theirs then?
SELECT c.outlet, array_agg(d.value ORDER BY d.value) AS domains
FROM mart.outlet_attribute c
JOIN mart.outlet_attribute d ON d.outlet = c.outlet AND d.attribute = 'domain'
                            AND COALESCE(d.valid_from, '-infinity') <= '2026-03-05'
                            AND COALESCE(d.valid_until, 'infinity') > '2026-03-05'
WHERE c.attribute = 'country' AND c.value = 'GB'
  AND COALESCE(c.valid_from, '-infinity') <= '2026-03-05' AND COALESCE(c.valid_until, 'infinity') > '2026-03-05'
GROUP BY c.outlet
ORDER BY c.outlet;
