-- What analysts, past states, removals and exports need.
-- depends: 0007.merges

-- -- which extraction counts ------------------------------------------------------------------

CREATE TABLE core.reading (
    payload_hash bytea NOT NULL,
    extractor_id integer NOT NULL REFERENCES core.extractor,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (payload_hash, load_seq)
);
CREATE UNIQUE INDEX reading_current ON core.reading (payload_hash) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.reading IS 'Which extraction of a payload counts, where another extractor than that of its visit was promoted. Superseded, not overwritten.';
COMMENT ON COLUMN core.reading.payload_hash IS 'The payload.';
COMMENT ON COLUMN core.reading.extractor_id IS 'The extractor whose fields count.';
COMMENT ON COLUMN core.reading.load_seq IS 'Load that promoted it.';
COMMENT ON COLUMN core.reading.superseded_seq IS 'Load that promoted another one or took this one back; null while it holds.';

ALTER TABLE core.extraction ADD COLUMN links text[] NOT NULL DEFAULT '{}';
ALTER TABLE staging.visit ADD COLUMN links text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN core.extraction.links IS 'Addresses that the main text links to, in order, each once; without the page''s own.';
COMMENT ON COLUMN staging.visit.links IS 'Addresses that the main text links to, in order, each once; without the page''s own.';

ALTER TABLE core.article ADD COLUMN hidden_seq bigint;
COMMENT ON COLUMN core.article.hidden_seq IS 'Load by which a removal hid it; null for an article that is shown.';

-- -- full-text search -------------------------------------------------------------------------

CREATE FUNCTION core.search_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    SELECT CASE WHEN octet_length(value) = length(value)  -- ASCII alone, the most of most texts
    THEN regexp_replace(lower(value COLLATE "pg_c_utf8"), '[/_.@:=&+%#~\\]', ' ', 'g')
    ELSE translate(translate(translate(
        normalize(
            regexp_replace(
                regexp_replace(
                    lower(normalize(value, NFKD) COLLATE "pg_c_utf8"),
                    -- marks of Latin and Greek letters
                    '([a-z\u03b1-\u03c9])[\u0300-\u036f]+', '\1', 'g'),
                -- marks of Arabic and Hebrew, soft hyphens, invisible signs, quotes within Hebrew abbreviations
                '[\u00ad\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u05f3\u05f4'
                '\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|(?<=[\u05d0-\u05ea])["''](?=[\u05d0-\u05ea])',
                '', 'g'),
            NFC),
        -- letters that are written in two ways: Cyrillic io, Arabic and Persian ya, kaf, ha, ta marbuta, alif wasla
        U&'\0451\0649\0629\06a9\06cc\06be\06d5\0671\00f8\0142', U&'\0435\064a\0647\0643\064a\0647\0647\0627ol'),
        U&'\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06f0\06f1\06f2\06f3\06f4\06f5\06f6\06f7\06f8\06f9',
        '01234567890123456789'),
        -- what the parser would take for parts of addresses and numbers; half spaces, maqaf, middle dots
        '/_.@:=&+%#~\' || U&'\200c\05be\00b7\30fb', '                ')
    END
$$;
COMMENT ON FUNCTION core.search_fold(text) IS 'A text in the form in which it is searched: NFKC, lower case, without marks of Latin, Greek, Arabic and Hebrew letters; variants of Arabic and Persian letters and digits are one. Version 1: a change needs a new version of core.search_document.';

CREATE FUNCTION core.search_unspaced() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff'
           '\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f'
$$;
COMMENT ON FUNCTION core.search_unspaced() IS 'Characters of scripts that are written without spaces between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese), as ranges of a regular expression. Version 1.';

CREATE FUNCTION core.search_words(folded text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    -- Each such character is doubled: tokyo-eki, three characters, becomes 1 12 23 3, all pairs of neighbours.
    SELECT CASE WHEN folded !~ ('[' || core.search_unspaced() || ']') THEN folded ELSE
        regexp_replace(
            regexp_replace(
                regexp_replace(folded,
                    '([^\s' || core.search_unspaced() || '])([' || core.search_unspaced() || '])', '\1 \2', 'g'),
                '([' || core.search_unspaced() || '])([^\s' || core.search_unspaced() || '])', '\1 \2', 'g'),
            '([' || core.search_unspaced() || '])', '\1 \1', 'g')
    END
$$;
COMMENT ON FUNCTION core.search_words(text) IS 'A folded text with overlapping pairs of characters in place of runs of characters that are written without spaces. Version 1.';

CREATE FUNCTION core.search_tokens(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('pg_catalog.simple', COALESCE(core.search_words(core.search_fold(value)), ''))
$$;
COMMENT ON FUNCTION core.search_tokens(text) IS 'The tokens of a text for the index: the same function makes those of a query. Version 1.';

CREATE FUNCTION core.search_query(query text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- Of a run of such characters only the pairs count; a single character finds every pair that begins with it.
    SELECT regexp_replace(
        websearch_to_tsquery('pg_catalog.simple',
            regexp_replace(
                regexp_replace(
                    core.search_words(core.search_fold(regexp_replace(query, '(?<=[[:alnum:]])-', ' ', 'g'))),
                    '(^|[^' || core.search_unspaced() || '])[' || core.search_unspaced() || '] (?=['
                        || core.search_unspaced() || ']{2})',
                    '\1', 'g'),
                '([' || core.search_unspaced() || ']{2}) [' || core.search_unspaced() || '](?!['
                    || core.search_unspaced() || '])',
                '\1', 'g'))::text,
        '''([' || core.search_unspaced() || '])''', '''\1'':*', 'g')::tsquery
$$;
COMMENT ON FUNCTION core.search_query(text) IS 'A search as people type it (words, "a phrase", or, -without) as a query of the index. Version 1.';

CREATE TABLE core.search_document (
    article_uid uuid PRIMARY KEY REFERENCES core.article,
    search_version smallint NOT NULL,
    outlet text NOT NULL,
    in_language text,
    published_on date,
    source bytea NOT NULL,
    tokens tsvector NOT NULL
);
-- Tokens lie apart from the rest of their row, so that looking through many rows reads none of them.
ALTER TABLE core.search_document ALTER COLUMN tokens SET STORAGE EXTENDED;
ALTER TABLE core.search_document SET (toast_tuple_target = 128, fillfactor = 90);
CREATE INDEX search_document_tokens ON core.search_document USING gin (tokens) WITH (fastupdate = on);
COMMENT ON TABLE core.search_document IS 'The index of mart.search: an article''s current headline, description and text as tokens.';
COMMENT ON COLUMN core.search_document.article_uid IS 'The article.';
COMMENT ON COLUMN core.search_document.search_version IS 'Version of core.search_tokens.';
COMMENT ON COLUMN core.search_document.outlet IS 'Its outlet.';
COMMENT ON COLUMN core.search_document.in_language IS 'Its language, BCP 47.';
COMMENT ON COLUMN core.search_document.published_on IS 'Day of publication (UTC); of the first visit where that is unknown.';
COMMENT ON COLUMN core.search_document.source IS 'What the tokens were made of: an equal one is not made again.';
COMMENT ON COLUMN core.search_document.tokens IS 'Headline (weight A), description (B) and text (D); empty for an article that is not shown.';

-- -- outlets over time -------------------------------------------------------------------------

CREATE TABLE core.outlet_attribute (
    outlet text NOT NULL REFERENCES core.outlet,
    attribute text NOT NULL CHECK (attribute IN ('country', 'owner', 'type', 'parent', 'domain', 'collection')),
    value text NOT NULL,
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_until date NOT NULL DEFAULT 'infinity',
    source text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (outlet, attribute, value, valid_from),
    CHECK (valid_from <= valid_until)
);
COMMENT ON TABLE core.outlet_attribute IS 'What an outlet was, and from when to when: a country, an owner, a domain that changed hands.';
COMMENT ON COLUMN core.outlet_attribute.outlet IS 'The outlet.';
COMMENT ON COLUMN core.outlet_attribute.attribute IS 'country (ISO 3166-1 alpha-2), owner, type, parent (another outlet or a group), domain or collection.';
COMMENT ON COLUMN core.outlet_attribute.value IS 'Its value.';
COMMENT ON COLUMN core.outlet_attribute.valid_from IS 'First day; -infinity where it is not known or always was so.';
COMMENT ON COLUMN core.outlet_attribute.valid_until IS 'First day on which it no longer holds; infinity while it does.';
COMMENT ON COLUMN core.outlet_attribute.source IS 'file: the outlet''s file gives the dates. seen: the file changed, and valid_until is the day we saw it.';
COMMENT ON COLUMN core.outlet_attribute.recorded_at IS 'When it was recorded.';

-- -- past states, exports, removals -------------------------------------------------------------

CREATE TABLE ops.snapshot (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'),
    load_seq bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    code_version text NOT NULL,
    sig_version smallint NOT NULL,
    extractors jsonb NOT NULL,
    outlets jsonb NOT NULL,
    removals integer NOT NULL,
    counts jsonb NOT NULL,
    content_hash text NOT NULL
);
COMMENT ON TABLE ops.snapshot IS 'States of the warehouse that were given a name; mart.article_as_of(load_seq) shows them.';
COMMENT ON COLUMN ops.snapshot.name IS 'The name.';
COMMENT ON COLUMN ops.snapshot.load_seq IS 'The last load that belongs to it.';
COMMENT ON COLUMN ops.snapshot.created_at IS 'When it was named.';
COMMENT ON COLUMN ops.snapshot.created_by IS 'Who named it.';
COMMENT ON COLUMN ops.snapshot.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN ops.snapshot.sig_version IS 'Version of the signatures by which copies are found.';
COMMENT ON COLUMN ops.snapshot.extractors IS 'Extractors whose fields it shows, with the number of articles.';
COMMENT ON COLUMN ops.snapshot.outlets IS 'Outlets, with the state of their file and the number of articles.';
COMMENT ON COLUMN ops.snapshot.removals IS 'Removals that had been applied.';
COMMENT ON COLUMN ops.snapshot.counts IS 'Articles, texts, revisions, clusters.';
COMMENT ON COLUMN ops.snapshot.content_hash IS 'What `pressmark db fingerprint` printed.';

CREATE TABLE ops.export (
    export_id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    exported_by text NOT NULL,
    query text NOT NULL,
    format text NOT NULL,
    target text NOT NULL,
    with_text boolean NOT NULL,
    row_count bigint,
    load_seq bigint NOT NULL
);
COMMENT ON TABLE ops.export IS 'Exports: who took what out, and when.';
COMMENT ON COLUMN ops.export.export_id IS 'Key; stands in the manifest.';
COMMENT ON COLUMN ops.export.started_at IS 'Begin.';
COMMENT ON COLUMN ops.export.finished_at IS 'End; null where it was cut off.';
COMMENT ON COLUMN ops.export.exported_by IS 'Who.';
COMMENT ON COLUMN ops.export.query IS 'The statement.';
COMMENT ON COLUMN ops.export.format IS 'parquet, csv or jsonl.';
COMMENT ON COLUMN ops.export.target IS 'File or folder.';
COMMENT ON COLUMN ops.export.with_text IS 'Whether full texts were taken out.';
COMMENT ON COLUMN ops.export.row_count IS 'Rows written.';
COMMENT ON COLUMN ops.export.load_seq IS 'The last load that it saw.';

ALTER TABLE ops.removal ADD COLUMN value_length integer;
ALTER TABLE ops.removal ADD COLUMN applied_at timestamptz;
ALTER TABLE ops.removal ADD COLUMN articles integer;
COMMENT ON COLUMN ops.removal.value_length IS 'Characters of an erased prefix, so that the same number of an address''s is compared.';
COMMENT ON COLUMN ops.removal.applied_at IS 'When it had been carried out here; null where that was not finished.';
COMMENT ON COLUMN ops.removal.articles IS 'Articles that it hid or erased here.';

-- -- life ---------------------------------------------------------------------------------------

CREATE FUNCTION ops.drop_fetch_partitions(before timestamptz) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    partition record;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname, to_date(right(c.relname, 7), 'YYYY_MM') AS month
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'ops.fetch'::regclass AND c.relname ~ '^fetch_\d{4}_\d{2}$'
    LOOP
        IF (partition.month + interval '1 month') AT TIME ZONE 'UTC' <= before THEN
            EXECUTE format('DROP TABLE ops.%I', partition.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;
COMMENT ON FUNCTION ops.drop_fetch_partitions(timestamptz) IS 'Drops the monthly partitions of ops.fetch that end before a time; returns how many.';
REVOKE EXECUTE ON FUNCTION ops.drop_fetch_partitions(timestamptz) FROM PUBLIC;

CREATE INDEX candidate_decided ON ops.candidate USING brin (decided_at);
CREATE INDEX sighting_published ON core.sighting (outlet, listed_published) WHERE listed_published IS NOT NULL;

CREATE FUNCTION core.article_state(as_of bigint)
RETURNS TABLE (article_uid uuid, outlet text, url text, merged_into uuid, visit_id uuid, payload_hash bytea,
               extractor_id integer, story_cluster uuid, first_seen_at timestamptz, last_seen_at timestamptz,
               gone_at timestamptz, revision_count bigint, observed_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT a.article_uid, a.outlet, a.url, m.merged_into, v.visit_id, v.payload_hash,
           COALESCE(p.extractor_id, v.extractor_id), COALESCE(k.story_cluster, a.article_uid), f.first_seen_at,
           s.last_seen_at, g.gone_at, n.revisions, v.observed_at
    FROM core.article a
    JOIN core.outlet o ON o.outlet = a.outlet
    CROSS JOIN LATERAL (
        SELECT w.visit_id, w.payload_hash, w.extractor_id, w.observed_at
        FROM core.visit w
        WHERE w.article_uid = a.article_uid AND w.load_seq <= as_of
        ORDER BY w.observed_at DESC, w.visit_id DESC
        LIMIT 1
    ) v
    CROSS JOIN LATERAL (
        SELECT min(w.observed_at) AS first_seen_at FROM core.visit w
        WHERE w.article_uid = a.article_uid AND w.load_seq <= as_of
    ) f
    CROSS JOIN LATERAL (
        SELECT GREATEST(v.observed_at, max(e.observed_at)) AS last_seen_at FROM core.article_event e
        WHERE e.article_uid = a.article_uid AND e.kind = 'confirmed' AND e.load_seq <= as_of
    ) s
    CROSS JOIN LATERAL (
        SELECT CASE WHEN count(*) > 1 AND max(e.observed_at) - min(e.observed_at) >= o.gone_after
                    THEN min(e.observed_at) END AS gone_at
        FROM core.article_event e
        WHERE e.article_uid = a.article_uid AND e.kind IN ('missing', 'redirected_home') AND e.load_seq <= as_of
          AND e.observed_at > s.last_seen_at
    ) g
    CROSS JOIN LATERAL (
        SELECT count(*) AS revisions FROM core.revision r
        WHERE r.article_uid = a.article_uid AND r.load_seq <= as_of
          AND (r.superseded_seq IS NULL OR r.superseded_seq > as_of)
    ) n
    LEFT JOIN core.reading p ON p.payload_hash = v.payload_hash AND p.load_seq <= as_of
                            AND (p.superseded_seq IS NULL OR p.superseded_seq > as_of)
    LEFT JOIN core.article_merge m ON m.article_uid = a.article_uid AND m.load_seq <= as_of
                                  AND (m.superseded_seq IS NULL OR m.superseded_seq > as_of)
    LEFT JOIN core.cluster_member k ON k.article_uid = a.article_uid AND k.load_seq <= as_of
                                   AND (k.superseded_seq IS NULL OR k.superseded_seq > as_of)
    WHERE a.load_seq <= as_of AND a.hidden_seq IS NULL
$$;
COMMENT ON FUNCTION core.article_state(bigint) IS 'What was known of each article when this load was the last one, from rows that say by load_seq since when and until when they hold. Hidden articles are left out.';

CREATE INDEX visit_payload ON core.visit (payload_hash);
CREATE INDEX article_url_address ON core.article_url USING hash (url);

CREATE TABLE staging.to_erase (
    segment_id uuid NOT NULL,
    url_uid uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment_id, url_uid)
);
COMMENT ON TABLE staging.to_erase IS 'Captures whose bytes are still to be overwritten in the archive; their rows are gone already.';
COMMENT ON COLUMN staging.to_erase.segment_id IS 'Segment that holds them.';
COMMENT ON COLUMN staging.to_erase.url_uid IS 'Identity of the address that was asked for.';
COMMENT ON COLUMN staging.to_erase.queued_at IS 'Since when.';
