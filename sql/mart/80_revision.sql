CREATE VIEW mart.article_event AS
SELECT event.article_uid, article.outlet, article.url, event.kind, event.observed_at, event.detail, event.crawl_id,
       event.load_seq
FROM core.article_event event
LEFT JOIN core.article ON article.article_uid = event.article_uid
WHERE article.hidden_seq IS NULL
UNION ALL
SELECT article.article_uid, article.outlet, article.url, 'gone', article.gone_at, 'confirmed by a recheck', NULL,
       article.changed_seq
FROM core.article
WHERE article.gone_at IS NOT NULL AND article.hidden_seq IS NULL
UNION ALL
SELECT merge.article_uid, article.outlet, article.url, 'merged', article.first_seen_at, 'proved to be ' || target.url,
       NULL, merge.load_seq
FROM core.article_merge merge
JOIN core.article ON article.article_uid = merge.article_uid
JOIN core.article target ON target.article_uid = merge.merged_into
WHERE merge.superseded_seq IS NULL AND article.hidden_seq IS NULL AND target.hidden_seq IS NULL;

COMMENT ON VIEW mart.article_event IS 'Events of articles other than captures and changes of their text.';
COMMENT ON COLUMN mart.article_event.article_uid IS 'Article that the event belongs to.';
COMMENT ON COLUMN mart.article_event.outlet IS 'Outlet slug (mart.outlet); null for an erased article.';
COMMENT ON COLUMN mart.article_event.url IS 'URL of the article; null for an erased article.';
COMMENT ON COLUMN mart.article_event.kind IS 'missing: 404 or 410. redirected_home: redirects to the homepage or a section. gone: missing, confirmed by a recheck. confirmed: the server reported it unchanged (304). merged: merged into another article. removed: removed on request.';
COMMENT ON COLUMN mart.article_event.observed_at IS 'When the event was observed. For merged, when the article was first seen.';
COMMENT ON COLUMN mart.article_event.detail IS 'HTTP status, URL or reason.';
COMMENT ON COLUMN mart.article_event.crawl_id IS 'Crawl that observed the event (mart.crawl).';
COMMENT ON COLUMN mart.article_event.load_seq IS 'load_seq of the load that added the event.';

CREATE VIEW mart.headline_change AS
SELECT revision.article_uid, revision.outlet, revision.url, revision.ordinal, previous.headline AS headline_before,
       revision.headline AS headline_after, revision.unchanged_until, revision.seen_changed_at, revision.cause
FROM mart.article_revision revision
JOIN mart.article_revision previous ON previous.article_uid = revision.article_uid
    AND previous.ordinal = revision.ordinal - 1
WHERE 'headline' = ANY (revision.changed_parts);

COMMENT ON VIEW mart.headline_change IS 'Headlines that changed after publication.';
COMMENT ON COLUMN mart.headline_change.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.headline_change.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.headline_change.url IS 'URL of the article.';
COMMENT ON COLUMN mart.headline_change.ordinal IS 'Number of the revision with the new headline.';
COMMENT ON COLUMN mart.headline_change.headline_before IS 'Headline before the change.';
COMMENT ON COLUMN mart.headline_change.headline_after IS 'Headline after the change.';
COMMENT ON COLUMN mart.headline_change.unchanged_until IS 'The change happened after this time.';
COMMENT ON COLUMN mart.headline_change.seen_changed_at IS 'The change happened before this time.';
COMMENT ON COLUMN mart.headline_change.cause IS 'publisher or unknown, as in mart.article_revision.';

CREATE VIEW mart.most_revised AS
SELECT revision.article_uid, article.outlet, article.url, extraction.headline, count(*) AS revisions,
       count(*) FILTER (WHERE 'headline' = ANY (revision.changed_parts)) AS headline_changes,
       count(*) FILTER (WHERE 'body' = ANY (revision.changed_parts)) AS body_changes,
       count(*) FILTER (WHERE revision.changed_parts <@ ARRAY['description', 'authors']) AS other_changes,
       min(revision.seen_changed_at) AS first_change_seen_at, max(revision.seen_changed_at) AS last_change_seen_at
FROM core.revision
JOIN core.article ON article.article_uid = revision.article_uid
JOIN core.extraction ON extraction.payload_hash = article.payload_hash
    AND extraction.extractor_id = article.extractor_id
WHERE revision.superseded_seq IS NULL AND revision.ordinal > 1 AND revision.cause = 'publisher'
  AND article.merged_into IS NULL AND article.hidden_seq IS NULL
GROUP BY revision.article_uid, article.outlet, article.url, extraction.headline
ORDER BY revisions DESC, last_change_seen_at DESC;

COMMENT ON VIEW mart.most_revised IS 'Articles that their newsroom changed after publication, the most revised first. Changes of unknown cause are not counted.';
COMMENT ON COLUMN mart.most_revised.article_uid IS 'Article (mart.article).';
COMMENT ON COLUMN mart.most_revised.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.most_revised.url IS 'URL of the article.';
COMMENT ON COLUMN mart.most_revised.headline IS 'Current headline.';
COMMENT ON COLUMN mart.most_revised.revisions IS 'Number of changes seen.';
COMMENT ON COLUMN mart.most_revised.headline_changes IS 'Changes of the headline.';
COMMENT ON COLUMN mart.most_revised.body_changes IS 'Changes of the text.';
COMMENT ON COLUMN mart.most_revised.other_changes IS 'Changes of nothing but the description or the authors.';
COMMENT ON COLUMN mart.most_revised.first_change_seen_at IS 'When the first change was seen.';
COMMENT ON COLUMN mart.most_revised.last_change_seen_at IS 'When the last change was seen.';

CREATE FUNCTION mart.line_diff(before text, after text)
RETURNS TABLE (hunk integer, line_number integer, removed text, added text)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
-- Longest common subsequence of lines by dynamic programming (Hunt and McIlroy 1976), after removing the common prefix
-- and suffix. If the remaining parts have more than 250,000 pairs of lines, they are returned as one hunk.
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
    -- Flattened matrix: lengths[i, j] is the length of the common subsequence from lines i and j on.
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
COMMENT ON FUNCTION mart.line_diff(text, text) IS 'Compare two texts paragraph by paragraph. Returns one row per hunk with the removed and the added lines. line_number refers to the later text. Equal texts return no rows.';

CREATE FUNCTION mart.revision_diff(article uuid)
RETURNS TABLE (ordinal integer, part text, hunk integer, line_number integer, removed text, added text,
               unchanged_until timestamptz, seen_changed_at timestamptz, cause text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT revision.ordinal, difference.part, difference.hunk, difference.line_number, difference.removed,
           difference.added, revision.unchanged_until, revision.seen_changed_at, revision.cause
    FROM mart.article_revision revision
    JOIN mart.article_revision previous ON previous.article_uid = revision.article_uid
        AND previous.ordinal = revision.ordinal - 1
    CROSS JOIN LATERAL (
        SELECT 'headline' AS part, 1 AS hunk, 1 AS line_number, previous.headline AS removed, revision.headline AS added
        WHERE 'headline' = ANY (revision.changed_parts)
        UNION ALL
        SELECT 'description', 1, 1, previous.description, revision.description
        WHERE 'description' = ANY (revision.changed_parts)
        UNION ALL
        SELECT 'authors', 1, 1, array_to_string(previous.authors, ', '), array_to_string(revision.authors, ', ')
        WHERE 'authors' = ANY (revision.changed_parts)
        UNION ALL
        SELECT 'body', line.hunk, line.line_number, line.removed, line.added
        FROM mart.line_diff(previous.article_body, revision.article_body) line
        WHERE 'body' = ANY (revision.changed_parts)
    ) difference
    WHERE revision.article_uid = article
    ORDER BY revision.ordinal, array_position(ARRAY['headline', 'description', 'authors', 'body'], difference.part),
             difference.hunk
$$;
COMMENT ON FUNCTION mart.revision_diff(uuid) IS 'Return what each revision of an article changed, as readable hunks. A changed headline, description or author list is one row. A changed text has one row per changed place.';

CREATE FUNCTION mart.article_changes(since bigint, most bigint DEFAULT NULL)
RETURNS TABLE (change_seq bigint, article_uid uuid, change text, outlet text, url text, headline text,
               date_published timestamptz, revision_count integer, gone_at timestamptz, copy_cluster uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT changed.change_seq, changed.article_uid, changed.change, article.outlet, article.url, article.headline,
           article.date_published, article.revision_count, article.gone_at, article.copy_cluster
    FROM (
        SELECT article.changed_seq AS change_seq, article.article_uid,
               CASE WHEN article.hidden_seq IS NOT NULL THEN 'removed'
                    WHEN article.merged_into IS NOT NULL THEN 'merged'
                    WHEN article.load_seq > since THEN 'new'
                    ELSE 'changed' END AS change
        FROM core.article
        WHERE article.changed_seq > since
        UNION ALL
        SELECT event.load_seq, event.article_uid, 'removed'
        FROM core.article_event event
        WHERE event.kind = 'removed' AND event.load_seq > since
          AND NOT EXISTS (SELECT 1 FROM core.article WHERE article.article_uid = event.article_uid)
        ORDER BY 1
        -- Return whole loads only: a cursor in the middle of a load would skip the rest of its articles.
        FETCH FIRST most ROWS WITH TIES
    ) changed
    LEFT JOIN mart.article ON article.article_uid = changed.article_uid
    ORDER BY changed.change_seq, changed.article_uid
$$;
COMMENT ON FUNCTION mart.article_changes(bigint, bigint) IS 'Return articles that are new, changed, merged or removed since a change_seq (0 for all). Pass the largest change_seq returned as `since` of the next call. The numbers follow the order of commits, so no change is missed. most: approximate maximum number of rows; the last load is always returned in full.';

CREATE FUNCTION mart.article_as_of(as_of bigint)
RETURNS TABLE (article_uid uuid, outlet text, url text, canonical_url text, headline text, description text,
               authors text[], date_published timestamptz, date_published_source text, date_published_precision text,
               date_modified timestamptz, in_language text, article_section text, keywords text[], article_body text,
               word_count integer, char_count integer, is_accessible_for_free boolean, copy_cluster uuid,
               first_seen_at timestamptz, last_seen_at timestamptz, gone_at timestamptz, revision_count bigint,
               observed_at timestamptz, extractor text, text_hash text, capture_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT state.article_uid, state.outlet, state.url, extraction.canonical_url, extraction.headline,
           extraction.description, extraction.authors,
           CASE WHEN listed.preferred THEN listed.listed_published ELSE extraction.date_published END,
           CASE WHEN listed.preferred THEN listed.listed_published_source ELSE extraction.date_published_source END,
           CASE WHEN listed.preferred THEN listed.listed_published_precision
                ELSE extraction.date_published_precision END,
           extraction.date_modified, extraction.in_language, extraction.article_section, extraction.keywords,
           text.article_body, text.word_count, text.char_count,
           extraction.is_accessible_for_free, state.copy_cluster, state.first_seen_at, state.last_seen_at,
           state.gone_at, state.revision_count,
           state.observed_at, extractor.name || ' ' || extractor.version, encode(extraction.text_hash, 'hex'),
           state.capture_id
    FROM core.article_state(as_of) state
    JOIN core.extraction ON extraction.payload_hash = state.payload_hash
        AND extraction.extractor_id = state.extractor_id
    JOIN core.extractor ON extractor.extractor_id = state.extractor_id
    LEFT JOIN core.text ON text.text_hash = extraction.text_hash
    LEFT JOIN LATERAL (
        SELECT listed_capture.listed_published, listed_capture.listed_published_source,
               listed_capture.listed_published_precision,
               core.prefers_listed(
                   extraction.date_published, extraction.date_published_source, extraction.date_published_precision,
                   listed_capture.listed_published, listed_capture.listed_published_source,
                   listed_capture.listed_published_precision) AS preferred
        FROM core.capture listed_capture
        WHERE listed_capture.article_uid = state.article_uid
          AND listed_capture.listed_published IS NOT NULL AND listed_capture.load_seq <= as_of
        ORDER BY listed_capture.observed_at, listed_capture.capture_id
        LIMIT 1
    ) listed ON true
    WHERE state.merged_into IS NULL
$$;
COMMENT ON FUNCTION mart.article_as_of(bigint) IS 'Return the articles as mart.article showed them when the given load was the last one. mart.snapshot lists the load_seq of named states. Articles removed on request since then are not returned.';

CREATE VIEW mart.snapshot AS
SELECT snapshot.name, snapshot.load_seq, snapshot.created_at, snapshot.created_by, snapshot.code_version,
       snapshot.sig_version, snapshot.extractors, snapshot.outlets, snapshot.counts, snapshot.content_hash,
       snapshot.removals,
       (SELECT count(*) FROM ops.removal WHERE removal.created_at > snapshot.created_at) AS removals_since
FROM ops.snapshot;

COMMENT ON VIEW mart.snapshot IS 'Named states of the warehouse. Query one with SELECT * FROM mart.article_as_of(load_seq).';
COMMENT ON COLUMN mart.snapshot.name IS 'Name of the snapshot.';
COMMENT ON COLUMN mart.snapshot.load_seq IS 'load_seq of the last load in the snapshot.';
COMMENT ON COLUMN mart.snapshot.created_at IS 'When the snapshot was created.';
COMMENT ON COLUMN mart.snapshot.created_by IS 'Who created the snapshot.';
COMMENT ON COLUMN mart.snapshot.code_version IS 'Version of Pressmark.';
COMMENT ON COLUMN mart.snapshot.sig_version IS 'Version of the signatures used to find copies.';
COMMENT ON COLUMN mart.snapshot.extractors IS 'Extractors of the current fields, each with its number of articles.';
COMMENT ON COLUMN mart.snapshot.outlets IS 'Outlets, each with the version of its file and its number of articles.';
COMMENT ON COLUMN mart.snapshot.counts IS 'Number of articles, texts, comments, revisions and clusters.';
COMMENT ON COLUMN mart.snapshot.content_hash IS 'Output of `pressmark db fingerprint` at that time.';
COMMENT ON COLUMN mart.snapshot.removals IS 'Number of removals applied at that time.';
COMMENT ON COLUMN mart.snapshot.removals_since IS 'Number of removals entered since. If it is not zero, the removed articles are no longer shown and the content hash no longer matches.';
