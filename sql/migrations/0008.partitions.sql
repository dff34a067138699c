-- Search documents and near-duplicate bands in monthly partitions, so that a load only writes to the indexes of the
-- months that it adds articles to. See docs/decisions/0024-partitions.md.
-- depends: 0007.growth

-- The tables so far become one partition each, for all months up to the last one with rows. Nothing is copied here:
-- core.split_partition moves the rows to monthly partitions, one month at a time.
ALTER TABLE core.search_document RENAME TO search_document_unsplit;
ALTER TABLE core.search_document_unsplit
    DROP CONSTRAINT search_document_article_uid_fkey,
    DROP CONSTRAINT search_document_pkey,
    ALTER COLUMN published_on SET NOT NULL,
    ADD CONSTRAINT search_document_unsplit_pkey PRIMARY KEY (article_uid, published_on);
ALTER INDEX core.search_document_tokens RENAME TO search_document_unsplit_tokens;
ALTER INDEX core.search_document_day RENAME TO search_document_unsplit_day;
ALTER INDEX core.search_document_outlet_day RENAME TO search_document_unsplit_outlet_day;
CREATE TABLE core.search_document (
    LIKE core.search_document_unsplit INCLUDING STORAGE INCLUDING COMMENTS, PRIMARY KEY (article_uid, published_on)
) PARTITION BY RANGE (published_on);
CREATE INDEX search_document_tokens ON core.search_document USING gin (tokens) WITH (fastupdate = on, gin_pending_list_limit = 16384);
CREATE INDEX search_document_day ON core.search_document (published_on);
CREATE INDEX search_document_outlet_day ON core.search_document (outlet, published_on);
COMMENT ON TABLE core.search_document IS 'The index of mart.search: the current headline, description and text of each article as tokens. One row per article, in the partition of the month it was published in.';

ALTER TABLE core.lsh_band RENAME TO lsh_band_unsplit;
ALTER INDEX core.lsh_band_key RENAME TO lsh_band_unsplit_key;
CREATE TABLE core.lsh_band (LIKE core.lsh_band_unsplit INCLUDING COMMENTS) PARTITION BY RANGE (month);
COMMENT ON TABLE core.lsh_band IS 'LSH bands of MinHash signatures, in monthly partitions. Two texts that share a band are candidate copies.';

CREATE VIEW core.month_partition AS
SELECT parent.relname::text AS parent, part.relname::text AS partition,
       COALESCE(substring(bounds.text FROM $$FROM \('([^']+)$$)::date, '-infinity') AS since,
       substring(bounds.text FROM $$TO \('([^']+)$$)::date AS until
FROM pg_inherits
JOIN pg_class parent ON parent.oid = pg_inherits.inhparent AND parent.relkind = 'p'
JOIN pg_class part ON part.oid = pg_inherits.inhrelid
CROSS JOIN LATERAL (SELECT pg_get_expr(part.relpartbound, part.oid) AS text) bounds
WHERE parent.relnamespace = 'core'::regnamespace;
COMMENT ON VIEW core.month_partition IS 'The partitions of core.search_document and core.lsh_band.';
COMMENT ON COLUMN core.month_partition.parent IS 'Partitioned table.';
COMMENT ON COLUMN core.month_partition.partition IS 'Partition.';
COMMENT ON COLUMN core.month_partition.since IS 'First day of the partition; -infinity for the first partition.';
COMMENT ON COLUMN core.month_partition.until IS 'The day after the last one of the partition.';

CREATE FUNCTION core.add_partition(parent text, name text, filled_with text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    index_definition text;
BEGIN
    EXECUTE format('CREATE TABLE core.%I (LIKE core.%I INCLUDING ALL EXCLUDING INDEXES)', name, parent);
    IF parent = 'search_document' THEN
        -- Tokens are stored out of line (TOAST), so that scanning many rows does not read them.
        EXECUTE format('ALTER TABLE core.%I SET (toast_tuple_target = 128, fillfactor = 90)', name);
    END IF;
    EXECUTE format('COMMENT ON TABLE core.%I IS %L', name, 'Partition of core.' || parent || '.');
    EXECUTE format('GRANT MAINTAIN ON core.%I TO pressmark_maintainer', name);
    IF filled_with IS NOT NULL THEN
        EXECUTE format('INSERT INTO core.%I %s', name, filled_with);
    END IF;
    -- Indexes are built from all rows at once: an index of words that grew row by row is four times as large.
    IF parent = 'search_document' THEN
        EXECUTE format('ALTER TABLE core.%I ADD PRIMARY KEY (article_uid, published_on)', name);
        FOR index_definition IN
            SELECT regexp_replace(pg_get_indexdef(indexrelid), 'INDEX \S+ ON ONLY \S+', format('INDEX ON core.%I', name))
            FROM pg_index WHERE indrelid = 'core.search_document'::regclass AND NOT indisprimary
        LOOP
            EXECUTE index_definition;
        END LOOP;
    ELSE
        -- The partitioned table has no such index, because the index of lsh_band_unsplit starts with the month.
        EXECUTE format('CREATE INDEX ON core.%I (band_hash, dedup_id)', name);
    END IF;
END
$$;
COMMENT ON FUNCTION core.add_partition(text, text, text) IS 'Create a table with the columns and indexes of a partition, to be attached to the partitioned table. filled_with: a query for its rows.';
REVOKE EXECUTE ON FUNCTION core.add_partition(text, text, text) FROM PUBLIC;

CREATE FUNCTION core.partition_start(day date) RETURNS date
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN day < '2000-01-01' THEN '-infinity' ELSE date_trunc('month', day::timestamp)::date END
$$;
COMMENT ON FUNCTION core.partition_start(date) IS 'Return the first day of the partition for a day: that of its month, or -infinity before the year 2000, which has one partition.';

CREATE FUNCTION core.partition_name(parent text, first_day date) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
    SELECT parent || CASE WHEN first_day = '-infinity' THEN '_before_2000' ELSE to_char(first_day, '_YYYY_MM') END
$$;
COMMENT ON FUNCTION core.partition_name(text, date) IS 'Return the name of the partition that starts on a day (core.partition_start).';

CREATE FUNCTION core.attach_partition(parent text, first_day date) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    -- Unlike CREATE TABLE ... PARTITION OF, ATTACH lets others read and write the table meanwhile.
    EXECUTE format('ALTER TABLE core.%I ATTACH PARTITION core.%I FOR VALUES FROM (%s) TO (%L)',
                   parent, core.partition_name(parent, first_day),
                   CASE WHEN first_day = '-infinity' THEN 'MINVALUE' ELSE quote_literal(first_day) END,
                   CASE WHEN first_day = '-infinity' THEN date '2000-01-01'
                        ELSE (first_day + interval '1 month')::date END);
END
$$;
COMMENT ON FUNCTION core.attach_partition(text, date) IS 'Attach the table of a month (core.add_partition) to the partitioned table.';
REVOKE EXECUTE ON FUNCTION core.attach_partition(text, date) FROM PUBLIC;

CREATE FUNCTION core.ensure_month_partitions(parent text, days date[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    first_day date;
    made integer := 0;
BEGIN
    FOR first_day IN SELECT DISTINCT core.partition_start(day) FROM unnest(days) AS day ORDER BY 1 LOOP
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM core.month_partition p
            WHERE p.parent = $1 AND p.since <= first_day AND first_day < p.until);
        -- Two transactions may need the same month. The second one waits here and finds the partition of the first.
        INSERT INTO ops.lock (name) VALUES ('partitions:' || $1) ON CONFLICT DO NOTHING;
        PERFORM 1 FROM ops.lock l WHERE l.name = 'partitions:' || $1 FOR UPDATE;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM core.month_partition p
            WHERE p.parent = $1 AND p.since <= first_day AND first_day < p.until);
        PERFORM core.add_partition(parent, core.partition_name(parent, first_day));
        PERFORM core.attach_partition(parent, first_day);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION core.ensure_month_partitions(text, date[]) IS 'Create the missing partitions of core.search_document or core.lsh_band for these days. Returns the number of partitions created.';
REVOKE EXECUTE ON FUNCTION core.ensure_month_partitions(text, date[]) FROM PUBLIC;

COMMENT ON TABLE ops.lock IS 'Locks of crawls and maintenance, as rows that no reader can touch. `load`, `cluster` and `partitions:<table>` are locked as rows for the length of a transaction. All others are leases: held until expires_at, or until their holder is disconnected.';
COMMENT ON COLUMN ops.lock.name IS 'What is locked: load, cluster, partitions:<table>, crawl:<outlet>:<mode>, alive:<crawl_id>, lease:<process>, or a maintenance task.';

CREATE FUNCTION core.months_to_split(parent text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    key text := CASE parent WHEN 'search_document' THEN 'published_on' ELSE 'month' END;
    months integer;
BEGIN
    IF to_regclass(format('core.%I', parent || '_unsplit')) IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('SELECT COALESCE((max(%I) - min(%I)) / 30, 0) + 1 FROM core.%I', key, key, parent || '_unsplit')
    INTO months;
    RETURN months;
END
$$;
COMMENT ON FUNCTION core.months_to_split(text) IS 'Return about how many months core.split_partition still has to move. 0: nothing is left.';
REVOKE EXECUTE ON FUNCTION core.months_to_split(text) FROM PUBLIC;

CREATE FUNCTION core.split_partition(parent text) RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    key text := CASE parent WHEN 'search_document' THEN 'published_on' ELSE 'month' END;
    unsplit text := parent || '_unsplit';
    last_day date;
    first_day date;
BEGIN
    IF to_regclass(format('core.%I', unsplit)) IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT max(%I) FROM core.%I', key, unsplit) INTO last_day;
    IF last_day IS NULL THEN
        EXECUTE format('DROP TABLE core.%I', unsplit);
        RETURN NULL;
    END IF;
    first_day := core.partition_start(last_day);
    PERFORM core.add_partition(parent, core.partition_name(parent, first_day),
                               format('SELECT * FROM core.%I WHERE %I >= %L', unsplit, key, first_day));
    EXECUTE format('DELETE FROM core.%I WHERE %I >= %L', unsplit, key, first_day);
    -- From here on, readers wait until the end of the transaction.
    EXECUTE format('ALTER TABLE core.%I DETACH PARTITION core.%I', parent, unsplit);
    PERFORM core.attach_partition(parent, first_day);
    IF first_day = '-infinity' THEN
        EXECUTE format('DROP TABLE core.%I', unsplit);
    ELSE
        EXECUTE format('ALTER TABLE core.%I ATTACH PARTITION core.%I FOR VALUES FROM (MINVALUE) TO (%L)',
                       parent, unsplit, first_day);
    END IF;
    RETURN last_day;
END
$$;
COMMENT ON FUNCTION core.split_partition(text) IS 'Move the newest month of the rows from before the upgrade into a monthly partition. Returns the last day that was moved, or null if nothing is left to do. Run it under the lock of those who write the table.';
REVOKE EXECUTE ON FUNCTION core.split_partition(text) FROM PUBLIC;

DO $$
DECLARE
    parent text;
    last_day date;
BEGIN
    FOREACH parent IN ARRAY '{search_document,lsh_band}'::text[] LOOP
        EXECUTE format('SELECT max(%I) FROM core.%I',
                       CASE parent WHEN 'search_document' THEN 'published_on' ELSE 'month' END, parent || '_unsplit')
        INTO last_day;
        IF last_day IS NULL THEN
            EXECUTE format('DROP TABLE core.%I', parent || '_unsplit');
        ELSE
            EXECUTE format('COMMENT ON TABLE core.%I IS %L', parent || '_unsplit',
                           'Rows of core.' || parent || ' that have not been moved into monthly partitions yet.');
            EXECUTE format('ALTER TABLE core.%I ATTACH PARTITION core.%I FOR VALUES FROM (MINVALUE) TO (%L)',
                           parent, parent || '_unsplit', (date_trunc('month', last_day) + interval '1 month')::date);
        END IF;
        PERFORM core.ensure_month_partitions(parent, ARRAY[current_date, (current_date + interval '1 month')::date]);
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION core.flush_search_index() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT COALESCE(sum(gin_clean_pending_list(inhrelid::regclass)), 0)::bigint
    FROM pg_inherits WHERE inhparent = 'core.search_document_tokens'::regclass
$$;
COMMENT ON FUNCTION core.flush_search_index() IS 'Merge the pending entries that loads added to the indexes of mart.search into their main structure. Returns the number of pages that were merged.';

-- The primary key finds the current revisions of an article too.
DROP INDEX core.revision_current;

COMMENT ON TABLE core.fingerprint IS 'MinHash signatures of texts, from the load until the text is compared with others. Clustering computes them again if it needs them later.';

-- Why an endpoint fails. Later polls and crawls that skip it during a back-off do not replace the cause.
ALTER TABLE ops.endpoint ADD COLUMN failure text, ADD COLUMN failing_since timestamptz;
COMMENT ON COLUMN ops.endpoint.failure IS 'What happened at the last failed poll; null if the last poll was successful.';
COMMENT ON COLUMN ops.endpoint.failing_since IS 'When the first of the consecutive polls failed.';

ALTER TABLE ops.mart_version ADD COLUMN code_version text;
COMMENT ON COLUMN ops.mart_version.code_version IS 'Version of Pressmark that built the views. Null for versions that did not record it.';
