-- Data dictionary: the schemas as the Postgres catalogue describes them. Partitions are covered by their parent table.

-- name: objects
-- List tables and views with their comments.
SELECT n.nspname, obj_description(n.oid, 'pg_namespace'), c.relname,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' ELSE 'table' END,
       obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY array_position(ARRAY['mart', 'core', 'ops', 'staging'], n.nspname::text), c.relname;

-- name: columns
-- List columns with their types and comments.
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY n.nspname, c.relname, a.attnum;

-- name: references
-- List foreign keys between tables of core: the referencing table, the referenced table, the columns.
SELECT referencing.relname, referenced.relname,
       (SELECT string_agg(a.attname, ', ' ORDER BY k.place)
        FROM unnest(key.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = key.conrelid AND a.attnum = k.number)
FROM pg_constraint key
JOIN pg_class referencing ON referencing.oid = key.conrelid
JOIN pg_class referenced ON referenced.oid = key.confrelid
WHERE key.contype = 'f' AND key.connamespace = 'core'::regnamespace AND referenced.relnamespace = 'core'::regnamespace
  AND NOT referencing.relispartition
ORDER BY referenced.relname, referencing.relname, 3;

-- name: functions
-- List functions with their arguments, result types and comments.
SELECT n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid),
       obj_description(p.oid, 'pg_proc')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging')
ORDER BY array_position(ARRAY['mart', 'core', 'ops', 'staging'], n.nspname::text), p.proname;
