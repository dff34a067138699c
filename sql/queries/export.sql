-- Exports, and what a manifest tells beside the data. The first four are read as the analyst.

-- name: types
-- Names of types.
SELECT t.oid::bigint, format_type(t.oid, NULL) FROM pg_catalog.pg_type t WHERE t.oid = ANY (%(oids)s::oid[]);

-- name: coverage
-- Outlets: articles, days of publication, how many days were observed.
SELECT f.outlet, f.articles, c.first_day, c.last_day, c.days, c.observed_days
FROM mart.outlet_freshness f
LEFT JOIN LATERAL (
    SELECT min(v.day) AS first_day, max(v.day) AS last_day, count(*) AS days,
           count(*) FILTER (WHERE v.observed) AS observed_days
    FROM mart.outlet_coverage v WHERE v.outlet = f.outlet
) c ON true
ORDER BY f.outlet;

-- name: rights
-- What the outlets state of the use of their articles.
SELECT outlet, robots_status, robots_since, tdmrep_status, content_signal, content_usage, license, noai, tdm_reserved
FROM mart.outlet_rights ORDER BY outlet;

-- name: snapshot
SELECT content_hash FROM mart.snapshot WHERE name = %(name)s;

-- name: begin
INSERT INTO ops.export (export_id, exported_by, query, format, target, with_text, load_seq)
VALUES (%(export_id)s, %(exported_by)s, %(query)s, %(format)s, %(target)s, %(with_text)s,
        (SELECT COALESCE(max(changed_seq), 0) FROM core.article));

-- name: end
UPDATE ops.export SET finished_at = now(), row_count = %(rows)s WHERE export_id = %(export_id)s;
