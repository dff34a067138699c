-- On how many days of publication is each outlet's number of articles only a lower bound?
SELECT outlet, count(*) FILTER (WHERE observed) AS observed, count(*) FILTER (WHERE NOT observed) AS not_observed,
       min(day) FILTER (WHERE NOT observed) AS first_not_observed,
       max(day) FILTER (WHERE NOT observed) AS last_not_observed
FROM mart.outlet_coverage
GROUP BY outlet
ORDER BY not_observed DESC, outlet;
