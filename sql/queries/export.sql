-- Exports and their manifests. The first four statements run as the analyst.

-- name: types
-- Return the names of types by OID.
SELECT oid::bigint, format_type(oid, NULL) FROM pg_catalog.pg_type WHERE oid = ANY (%(oids)s::oid[]);

-- name: coverage
-- Return per outlet: number of articles, first and last day of publication, days, and days observed.
SELECT freshness.outlet, freshness.articles, days.first_day, days.last_day, days.days, days.observed_days
FROM mart.outlet_freshness freshness
LEFT JOIN LATERAL (
    SELECT min(coverage.day) AS first_day, max(coverage.day) AS last_day, count(*) AS days,
           count(*) FILTER (WHERE coverage.observed) AS observed_days
    FROM mart.outlet_coverage coverage WHERE coverage.outlet = freshness.outlet
) days ON true
ORDER BY freshness.outlet;

-- name: rights
-- Return each outlet's rights signals.
SELECT outlet, robots_status, robots_since, tdmrep_status, content_signal, content_usage, license, noai, tdm_reserved
FROM mart.outlet_rights ORDER BY outlet;

-- name: snapshot
-- Return the content hash of a snapshot.
SELECT content_hash FROM mart.snapshot WHERE name = %(name)s;

-- name: begin
-- Record the start of an export with the load that it shows.
INSERT INTO ops.export (export_id, exported_by, query, format, target, with_text, load_seq)
VALUES (%(export_id)s, %(exported_by)s, %(query)s, %(format)s, %(target)s, %(with_text)s,
        (SELECT COALESCE(max(changed_seq), 0) FROM core.article));

-- name: end
-- Record the end of an export with its number of rows.
UPDATE ops.export SET finished_at = now(), row_count = %(rows)s WHERE export_id = %(export_id)s;
