-- What may have made numbers jump without the outlet having done anything?
SELECT outlet, kind, since, until, detail
FROM mart.series_break
ORDER BY outlet, since;
