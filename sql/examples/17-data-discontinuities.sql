-- What may have made numbers jump without the outlet having done anything?
SELECT outlet, kind, since, until, detail
FROM mart.data_discontinuity
ORDER BY outlet, since;
