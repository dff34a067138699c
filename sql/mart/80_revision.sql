CREATE VIEW mart.article_event AS
SELECT e.article_uid, a.outlet, a.url, e.kind, e.observed_at, e.detail, e.crawl_id, e.load_seq
FROM core.article_event e
LEFT JOIN core.article a ON a.article_uid = e.article_uid
WHERE a.hidden_seq IS NULL
UNION ALL
SELECT a.article_uid, a.outlet, a.url, 'gone', a.gone_at, 'confirmed by a second look', NULL, a.changed_seq
FROM core.article a
WHERE a.gone_at IS NOT NULL AND a.hidden_seq IS NULL
UNION ALL
SELECT h.article_uid, a.outlet, a.url, 'merged', a.first_seen_at, 'proved to be ' || t.url, NULL, h.load_seq
FROM core.article_merge h
JOIN core.article a ON a.article_uid = h.article_uid
JOIN core.article t ON t.article_uid = h.merged_into
WHERE h.superseded_seq IS NULL AND a.hidden_seq IS NULL AND t.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_event IS 'What happened to articles other than a capture or a change of their text.';
COMMENT ON COLUMN mart.article_event.article_uid IS 'The article.';
COMMENT ON COLUMN mart.article_event.outlet IS 'Its outlet; null for one that was removed.';
COMMENT ON COLUMN mart.article_event.url IS 'Its URL; null for one that was removed.';
COMMENT ON COLUMN mart.article_event.kind IS 'missing: 404 or 410. redirected_home: leads to the homepage or a section. gone: missing, confirmed by a second look. confirmed: unchanged by the server''s word (304). merged: proved to be another article. removed: taken out on request.';
COMMENT ON COLUMN mart.article_event.observed_at IS 'When it was seen; of merged: when the article was first seen.';
COMMENT ON COLUMN mart.article_event.detail IS 'Status, address or reason.';
COMMENT ON COLUMN mart.article_event.crawl_id IS 'The crawl that saw it.';
COMMENT ON COLUMN mart.article_event.load_seq IS 'Load that brought it.';

CREATE VIEW mart.headline_change AS
SELECT r.article_uid, r.outlet, r.url, r.ordinal, p.headline AS headline_before, r.headline AS headline_after,
       r.unchanged_until, r.seen_changed_at, r.cause
FROM mart.article_revision r
JOIN mart.article_revision p ON p.article_uid = r.article_uid AND p.ordinal = r.ordinal - 1
WHERE 'headline' = ANY (r.changed_parts);

COMMENT ON VIEW mart.headline_change IS 'Headlines that were changed after publication.';
COMMENT ON COLUMN mart.headline_change.article_uid IS 'The article.';
COMMENT ON COLUMN mart.headline_change.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.headline_change.url IS 'Its URL.';
COMMENT ON COLUMN mart.headline_change.ordinal IS 'The version that has the new headline.';
COMMENT ON COLUMN mart.headline_change.headline_before IS 'The headline before.';
COMMENT ON COLUMN mart.headline_change.headline_after IS 'The headline since.';
COMMENT ON COLUMN mart.headline_change.unchanged_until IS 'The change came after this time.';
COMMENT ON COLUMN mart.headline_change.seen_changed_at IS 'The change came before this time.';
COMMENT ON COLUMN mart.headline_change.cause IS 'publisher or unknown, as in mart.article_revision.';

CREATE VIEW mart.most_revised AS
SELECT r.article_uid, a.outlet, a.url, x.headline, count(*) AS revisions,
       count(*) FILTER (WHERE 'headline' = ANY (r.changed_parts)) AS headline_changes,
       count(*) FILTER (WHERE 'body' = ANY (r.changed_parts)) AS body_changes,
       count(*) FILTER (WHERE r.changed_parts <@ ARRAY['description', 'authors']) AS other_changes,
       min(r.seen_changed_at) AS first_change_seen_at, max(r.seen_changed_at) AS last_change_seen_at
FROM core.revision r
JOIN core.article a ON a.article_uid = r.article_uid
JOIN core.extraction x ON x.payload_hash = a.payload_hash AND x.extractor_id = a.extractor_id
WHERE r.superseded_seq IS NULL AND r.ordinal > 1 AND r.cause = 'publisher'
  AND a.merged_into IS NULL AND a.hidden_seq IS NULL
GROUP BY r.article_uid, a.outlet, a.url, x.headline
ORDER BY revisions DESC, last_change_seen_at DESC;

COMMENT ON VIEW mart.most_revised IS 'Articles that their newsroom changed after publication, most often changed first; without changes of unknown cause.';
COMMENT ON COLUMN mart.most_revised.article_uid IS 'The article.';
COMMENT ON COLUMN mart.most_revised.outlet IS 'Its outlet.';
COMMENT ON COLUMN mart.most_revised.url IS 'Its URL.';
COMMENT ON COLUMN mart.most_revised.headline IS 'Its headline now.';
COMMENT ON COLUMN mart.most_revised.revisions IS 'Changes seen.';
COMMENT ON COLUMN mart.most_revised.headline_changes IS 'Of these, with another headline.';
COMMENT ON COLUMN mart.most_revised.body_changes IS 'Of these, with another text.';
COMMENT ON COLUMN mart.most_revised.other_changes IS 'Of these, with nothing but another description or other authors.';
COMMENT ON COLUMN mart.most_revised.first_change_seen_at IS 'When the first of them was seen.';
COMMENT ON COLUMN mart.most_revised.last_change_seen_at IS 'When the last of them was seen.';

CREATE FUNCTION mart.line_diff(before text, after text)
RETURNS TABLE (hunk integer, line_number integer, removed text, added text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
-- The longest common subsequence of lines (Hunt and McIlroy 1976, by the plain table) of what is left between equal
-- beginnings and ends. Texts whose differing parts have more than 250,000 pairs of lines are shown as one hunk.
DECLARE
    old_lines text[] := string_to_array(coalesce(before, ''), E'\n');
    new_lines text[] := string_to_array(coalesce(after, ''), E'\n');
    head integer := 0;
    n integer := cardinality(old_lines);
    m integer := cardinality(new_lines);
    lengths integer[];
    width integer;
    i integer;
    j integer;
    gone text[] := '{}';
    come text[] := '{}';
    place integer;
BEGIN
    WHILE head < n AND head < m AND old_lines[head + 1] = new_lines[head + 1] LOOP
        head := head + 1;
    END LOOP;
    WHILE n > head AND m > head AND old_lines[n] = new_lines[m] LOOP
        n := n - 1;
        m := m - 1;
    END LOOP;
    old_lines := old_lines[head + 1 : n];
    new_lines := new_lines[head + 1 : m];
    n := n - head;
    m := m - head;
    hunk := 0;
    IF n = 0 AND m = 0 THEN
        RETURN;
    END IF;
    IF n = 0 OR m = 0 OR n::bigint * m > 250000 THEN
        hunk := 1;
        line_number := head + 1;
        removed := nullif(array_to_string(old_lines, E'\n'), '');
        added := nullif(array_to_string(new_lines, E'\n'), '');
        RETURN NEXT;
        RETURN;
    END IF;
    -- lengths[i, j], flattened: of the common subsequence of what follows line i and line j.
    width := m + 1;
    lengths := array_fill(0, ARRAY[(n + 1) * width]);
    FOR i IN REVERSE n .. 1 LOOP
        FOR j IN REVERSE m .. 1 LOOP
            lengths[(i - 1) * width + j] := CASE
                WHEN old_lines[i] = new_lines[j] THEN lengths[i * width + j + 1] + 1
                ELSE greatest(lengths[i * width + j], lengths[(i - 1) * width + j + 1]) END;
        END LOOP;
    END LOOP;
    i := 1;
    j := 1;
    place := head + 1;
    LOOP
        IF i <= n AND j <= m AND old_lines[i] = new_lines[j] THEN
            IF cardinality(gone) + cardinality(come) > 0 THEN
                hunk := hunk + 1;
                line_number := place;
                removed := nullif(array_to_string(gone, E'\n'), '');
                added := nullif(array_to_string(come, E'\n'), '');
                RETURN NEXT;
                gone := '{}';
                come := '{}';
            END IF;
            i := i + 1;
            j := j + 1;
            place := head + j;
        ELSIF j <= m AND (i > n OR lengths[(i - 1) * width + j + 1] >= lengths[i * width + j]) THEN
            come := come || new_lines[j];
            j := j + 1;
        ELSIF i <= n THEN
            gone := gone || old_lines[i];
            i := i + 1;
        ELSE
            EXIT;
        END IF;
    END LOOP;
    IF cardinality(gone) + cardinality(come) > 0 THEN
        hunk := hunk + 1;
        line_number := place;
        removed := nullif(array_to_string(gone, E'\n'), '');
        added := nullif(array_to_string(come, E'\n'), '');
        RETURN NEXT;
    END IF;
END
$$;
COMMENT ON FUNCTION mart.line_diff(text, text) IS 'How two texts differ, paragraph by paragraph: a row a hunk with what was removed and what was added; line_number is that of the later text. No row for equal texts.';

CREATE FUNCTION mart.revision_diff(article uuid)
RETURNS TABLE (ordinal integer, part text, hunk integer, line_number integer, removed text, added text,
               unchanged_until timestamptz, seen_changed_at timestamptz, cause text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT r.ordinal, d.part, d.hunk, d.line_number, d.removed, d.added, r.unchanged_until, r.seen_changed_at, r.cause
    FROM mart.article_revision r
    JOIN mart.article_revision p ON p.article_uid = r.article_uid AND p.ordinal = r.ordinal - 1
    CROSS JOIN LATERAL (
        SELECT 'headline' AS part, 1 AS hunk, 1 AS line_number, p.headline AS removed, r.headline AS added
        WHERE 'headline' = ANY (r.changed_parts)
        UNION ALL
        SELECT 'description', 1, 1, p.description, r.description WHERE 'description' = ANY (r.changed_parts)
        UNION ALL
        SELECT 'authors', 1, 1, array_to_string(p.authors, ', '), array_to_string(r.authors, ', ')
        WHERE 'authors' = ANY (r.changed_parts)
        UNION ALL
        SELECT 'body', l.hunk, l.line_number, l.removed, l.added
        FROM mart.line_diff(p.article_body, r.article_body) l
        WHERE 'body' = ANY (r.changed_parts)
    ) d
    WHERE r.article_uid = article
    ORDER BY r.ordinal, array_position(ARRAY['headline', 'description', 'authors', 'body'], d.part), d.hunk
$$;
COMMENT ON FUNCTION mart.revision_diff(uuid) IS 'What each revision of an article changed, as readable hunks: a row a changed part; of the text, a row a place.';

CREATE FUNCTION mart.article_changes(since bigint, most bigint DEFAULT NULL)
RETURNS TABLE (change_seq bigint, article_uid uuid, change text, outlet text, url text, headline text,
               date_published timestamptz, revision_count integer, gone_at timestamptz, copy_cluster uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT c.change_seq, c.article_uid, c.change, m.outlet, m.url, m.headline, m.date_published, m.revision_count,
           m.gone_at, m.copy_cluster
    FROM (
        SELECT a.changed_seq AS change_seq, a.article_uid,
               CASE WHEN a.hidden_seq IS NOT NULL THEN 'removed'
                    WHEN a.merged_into IS NOT NULL THEN 'merged'
                    WHEN a.load_seq > since THEN 'new'
                    ELSE 'changed' END AS change
        FROM core.article a
        WHERE a.changed_seq > since
        UNION ALL
        SELECT e.load_seq, e.article_uid, 'removed'
        FROM core.article_event e
        WHERE e.kind = 'removed' AND e.load_seq > since
          AND NOT EXISTS (SELECT 1 FROM core.article a WHERE a.article_uid = e.article_uid)
        ORDER BY 1
        -- All of a load or nothing: a cursor within a load would lose its other articles.
        FETCH FIRST most ROWS WITH TIES
    ) c
    LEFT JOIN mart.article m ON m.article_uid = c.article_uid
    ORDER BY c.change_seq, c.article_uid
$$;
COMMENT ON FUNCTION mart.article_changes(bigint, bigint) IS 'Articles that are new, changed, merged or removed since a change_seq (0: all). The largest change_seq that came is the next call''s since: the numbers are given in the order of commits, so none is missed. most: about how many rows; all of the last load come.';

CREATE FUNCTION mart.article_as_of(as_of bigint)
RETURNS TABLE (article_uid uuid, outlet text, url text, canonical_url text, headline text, description text,
               authors text[], date_published timestamptz, date_published_source text, date_published_precision text,
               date_modified timestamptz, in_language text, article_section text, keywords text[], article_body text,
               word_count integer, char_count integer, is_accessible_for_free boolean, copy_cluster uuid,
               first_seen_at timestamptz, last_seen_at timestamptz, gone_at timestamptz, revision_count bigint,
               observed_at timestamptz, extractor text, text_hash text, capture_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT s.article_uid, s.outlet, s.url, x.canonical_url, x.headline, x.description, x.authors,
           COALESCE(x.date_published, l.listed_published),
           CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
                THEN x.date_published_source ELSE l.listed_published_source END,
           CASE WHEN x.date_published IS NOT NULL OR l.listed_published IS NULL
                THEN x.date_published_precision ELSE l.listed_published_precision END,
           x.date_modified, x.in_language, x.article_section, x.keywords, t.article_body, t.word_count, t.char_count,
           x.is_accessible_for_free, s.copy_cluster, s.first_seen_at, s.last_seen_at, s.gone_at, s.revision_count,
           s.observed_at, r.name || ' ' || r.version, encode(x.text_hash, 'hex'), s.capture_id
    FROM core.article_state(as_of) s
    JOIN core.extraction x ON x.payload_hash = s.payload_hash AND x.extractor_id = s.extractor_id
    JOIN core.extractor r ON r.extractor_id = s.extractor_id
    LEFT JOIN core.text t ON t.text_hash = x.text_hash
    LEFT JOIN LATERAL (
        SELECT w.listed_published, w.listed_published_source, w.listed_published_precision
        FROM core.capture w
        WHERE x.date_published IS NULL AND w.article_uid = s.article_uid AND w.listed_published IS NOT NULL
          AND w.load_seq <= as_of
        ORDER BY w.observed_at, w.capture_id
        LIMIT 1
    ) l ON true
    WHERE s.merged_into IS NULL
$$;
COMMENT ON FUNCTION mart.article_as_of(bigint) IS 'The articles as mart.article showed them when this load was the last one (mart.snapshot has the numbers of named states). What was removed on request since is not shown.';

CREATE VIEW mart.snapshot AS
SELECT s.name, s.load_seq, s.created_at, s.created_by, s.code_version, s.sig_version, s.extractors, s.outlets, s.counts,
       s.content_hash, s.removals,
       (SELECT count(*) FROM ops.removal r WHERE r.created_at > s.created_at) AS removals_since
FROM ops.snapshot s;

COMMENT ON VIEW mart.snapshot IS 'States of the warehouse that were given a name: SELECT * FROM mart.article_as_of(load_seq).';
COMMENT ON COLUMN mart.snapshot.name IS 'The name.';
COMMENT ON COLUMN mart.snapshot.load_seq IS 'The last load that belongs to it.';
COMMENT ON COLUMN mart.snapshot.created_at IS 'When it was named.';
COMMENT ON COLUMN mart.snapshot.created_by IS 'Who named it.';
COMMENT ON COLUMN mart.snapshot.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN mart.snapshot.sig_version IS 'Version of the signatures by which copies are found.';
COMMENT ON COLUMN mart.snapshot.extractors IS 'Extractors whose fields it shows, with the number of articles.';
COMMENT ON COLUMN mart.snapshot.outlets IS 'Outlets, with the state of their file and the number of articles.';
COMMENT ON COLUMN mart.snapshot.counts IS 'Articles, texts, revisions, clusters.';
COMMENT ON COLUMN mart.snapshot.content_hash IS 'What `pressmark db fingerprint` printed then.';
COMMENT ON COLUMN mart.snapshot.removals IS 'Removals that had been applied.';
COMMENT ON COLUMN mart.snapshot.removals_since IS 'Removals since: what they took out is not shown any more, and the content hash does not fit where there are any.';
