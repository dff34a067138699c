-- Roles and their privileges.

-- name: may_create_roles
-- Return whether the connected user may create roles.
SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user;

-- name: existing_roles
-- Return which of the given roles exist.
SELECT rolname FROM pg_roles WHERE rolname = ANY (%(names)s);

-- name: may_create_schemas
-- Return whether the owner role may create schemas in this database. A grant by a user who may not is only a warning.
SELECT has_database_privilege(%(owner)s, current_database(), 'CREATE');

-- name: schema_owner
-- Return the owner of the schema ops, or no row if there is none.
SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'ops';

-- name: has_migrations
-- Return whether the database has the table of applied migrations.
SELECT EXISTS (SELECT 1 FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
               WHERE relname = 'migration_checksum' AND nspname = 'ops');

-- name: schema_grants
-- Grant privileges on core, ops and staging. Run by the owner after the migrations; safe to repeat.
GRANT USAGE ON SCHEMA core, ops, staging TO pressmark_loader, pressmark_maintainer, pressmark_eraser;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA core, ops TO pressmark_loader;
GRANT DELETE ON core.fingerprint TO pressmark_loader;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA staging TO pressmark_loader;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA core, ops TO pressmark_loader, pressmark_maintainer, pressmark_eraser;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core, ops, staging
    TO pressmark_maintainer, pressmark_eraser;
GRANT MAINTAIN ON ALL TABLES IN SCHEMA core, ops, staging TO pressmark_maintainer;
GRANT EXECUTE ON FUNCTION ops.drop_fetch_partitions(timestamptz) TO pressmark_maintainer;
GRANT EXECUTE ON FUNCTION core.flush_search_index() TO pressmark_loader;
GRANT EXECUTE ON FUNCTION core.ensure_month_partitions(text, date[]) TO pressmark_loader, pressmark_maintainer;
GRANT EXECUTE ON FUNCTION core.months_to_split(text), core.split_partition(text) TO pressmark_maintainer;
REVOKE ALL ON ops.migration_checksum, ops.mart_version FROM pressmark_loader, pressmark_maintainer, pressmark_eraser;
GRANT SELECT ON ops.migration_checksum, ops.mart_version TO pressmark_loader, pressmark_maintainer, pressmark_eraser;

-- name: mart_grants
-- Grant privileges on mart. Run by the owner after the views are created; safe to repeat.
GRANT USAGE ON SCHEMA mart TO pressmark_analyst, pressmark_comments, pressmark_loader, pressmark_maintainer;
GRANT SELECT ON ALL TABLES IN SCHEMA mart
    TO pressmark_analyst, pressmark_comments, pressmark_loader, pressmark_maintainer;
REVOKE SELECT ON mart.comment FROM pressmark_analyst;
