-- The objects of the schema mart, for its upgrade.

-- name: objects
-- Return the views and functions of the schema: name, kind, and the name with the types of arguments.
SELECT 'mart.' || relname, 'VIEW', oid::regclass::text FROM pg_class
WHERE relnamespace = 'mart'::regnamespace AND relkind = 'v'
UNION ALL
SELECT 'mart.' || proname, 'FUNCTION', oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'mart'::regnamespace;

-- name: foreign_dependents
-- Return the objects outside of the schema that are built on a view or function, directly or on something in between.
WITH RECURSIVE used (classid, objid) AS (
    SELECT CASE WHEN %(kind)s = 'VIEW' THEN 'pg_class'::regclass ELSE 'pg_proc'::regclass END::oid,
           CASE WHEN %(kind)s = 'VIEW' THEN to_regclass(%(name)s)::oid ELSE to_regprocedure(%(name)s)::oid END
    UNION
    -- A view depends on others through its rewrite rule.
    SELECT CASE WHEN rule.oid IS NULL THEN depend.classid ELSE 'pg_class'::regclass::oid END,
           COALESCE(rule.ev_class, depend.objid)
    FROM used
    JOIN pg_depend depend ON depend.refclassid = used.classid AND depend.refobjid = used.objid
    LEFT JOIN pg_rewrite rule ON depend.classid = 'pg_rewrite'::regclass AND rule.oid = depend.objid
)
SELECT DISTINCT pg_describe_object(used.classid, used.objid, 0)
FROM used CROSS JOIN LATERAL pg_identify_object(used.classid, used.objid, 0) AS object
WHERE object.schema IS DISTINCT FROM 'mart' AND object.type IN ('view', 'materialized view', 'table', 'function')
ORDER BY 1;

-- name: set_version
-- Record which files the schema was built from.
INSERT INTO ops.mart_version (sha256, code_version) VALUES (%(sha256)s, %(code_version)s)
ON CONFLICT (only_row) DO UPDATE
SET sha256 = excluded.sha256, created_at = now(), code_version = excluded.code_version;
