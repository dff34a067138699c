-- The warehouse as its catalogue describes it; partitions are told with their table.

-- name: objects
SELECT n.nspname, obj_description(n.oid, 'pg_namespace'), c.relname,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialised view' ELSE 'table' END,
       obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY array_position(ARRAY['mart', 'core', 'ops', 'staging'], n.nspname::text), c.relname;

-- name: columns
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging') AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
ORDER BY n.nspname, c.relname, a.attnum;

-- name: references
-- Which table of core points to which, by which columns.
SELECT a.relname, b.relname,
       (SELECT string_agg(t.attname, ', ' ORDER BY k.place) FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute t ON t.attrelid = f.conrelid AND t.attnum = k.number)
FROM pg_constraint f
JOIN pg_class a ON a.oid = f.conrelid
JOIN pg_class b ON b.oid = f.confrelid
WHERE f.contype = 'f' AND f.connamespace = 'core'::regnamespace AND b.relnamespace = 'core'::regnamespace
  AND NOT a.relispartition
ORDER BY b.relname, a.relname, 3;

-- name: functions
-- Functions of the schemas with their arguments and what they give.
SELECT n.nspname, p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), obj_description(p.oid, 'pg_proc')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname IN ('mart', 'core', 'ops', 'staging')
ORDER BY array_position(ARRAY['mart', 'core', 'ops', 'staging'], n.nspname::text), p.proname;
