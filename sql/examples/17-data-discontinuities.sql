-- Which events may have changed an outlet's numbers although the outlet did not change?
SELECT outlet, kind, since, until, detail
FROM mart.data_discontinuity
ORDER BY outlet, since;
