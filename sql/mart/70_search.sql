CREATE FUNCTION mart.search_snippet(body text, query text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
    wanted text[];
    paragraph text;
    folded text;
    place integer;
    word text;
    shown text := '';
    pair text;
    was_hit boolean;
    is_hit boolean;
BEGIN
    SELECT array_agg(DISTINCT replace(m[1], '''''', '''')) INTO wanted
    FROM regexp_matches(querytree(core.search_query(query)), '''((?:[^'']|'''')+)''', 'g') AS m;
    IF wanted IS NULL OR body IS NULL THEN
        RETURN left(body, 200);
    END IF;
    -- The paragraph with the most of the words; folding keeps line breaks, so that both have equally many.
    SELECT l.line, l.folded INTO paragraph, folded
    FROM unnest(string_to_array(body, E'\n'), string_to_array(core.search_fold(body), E'\n'))
         WITH ORDINALITY AS l (line, folded, number)
    WHERE l.line IS NOT NULL
    ORDER BY (SELECT count(*) FROM unnest(wanted) AS w (word) WHERE strpos(l.folded, w.word) > 0) DESC, l.number
    LIMIT 1;
    SELECT min(strpos(folded, w.word)) INTO place FROM unnest(wanted) AS w (word) WHERE strpos(folded, w.word) > 0;
    IF length(paragraph) > 320 THEN
        place := greatest(1, coalesce(place, 1) - 120);
        paragraph := CASE WHEN place > 1 THEN '…' ELSE '' END || substr(paragraph, place, 320)
                  || CASE WHEN length(paragraph) >= place + 320 THEN '…' ELSE '' END;
    END IF;
    FOR word IN
        SELECT m[1]
        FROM regexp_matches(
            paragraph,
            '([[:alnum:]\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0e31-\u0e4e]+|[^[:alnum:]\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0e31-\u0e4e]+)',
            'g') AS m
    LOOP
        IF word ~ ('[' || core.search_unspaced() || ']') THEN
            was_hit := false;
            FOR i IN 1 .. length(word) LOOP
                pair := core.search_fold(substr(word, i, 2));
                is_hit := pair = ANY (wanted) OR left(pair, 1) = ANY (wanted)
                       OR (i > 1 AND core.search_fold(substr(word, i - 1, 2)) = ANY (wanted));
                shown := shown || CASE WHEN is_hit AND NOT was_hit THEN '«' WHEN was_hit AND NOT is_hit THEN '»' ELSE '' END
                      || substr(word, i, 1);
                was_hit := is_hit;
            END LOOP;
            shown := shown || CASE WHEN was_hit THEN '»' ELSE '' END;
        ELSIF core.search_fold(word) = ANY (wanted) THEN
            shown := shown || '«' || word || '»';
        ELSE
            shown := shown || word;
        END IF;
    END LOOP;
    RETURN shown;
END
$$;
COMMENT ON FUNCTION mart.search_snippet(text, text) IS 'The paragraph of a text that has the most words of a search, these «marked»; 320 characters at most.';

CREATE FUNCTION mart.search(
    query text,
    language text DEFAULT NULL,
    from_day date DEFAULT NULL,
    to_day date DEFAULT NULL,
    of_outlet text DEFAULT NULL,
    most integer DEFAULT 20
) RETURNS TABLE (
    article_uid uuid,
    outlet text,
    url text,
    headline text,
    date_published timestamptz,
    in_language text,
    rank real,
    snippet text
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET join_collapse_limit = 11 AS $$
DECLARE
    wanted tsquery := core.search_query(query);
    last_day date;
    since date;
    days integer := 2;
    until date;
    found uuid[];
    newest uuid[] := '{}';
    hits integer := 0;
    answers integer := least(greatest(most, 1), 1000);
    ranked integer := greatest(answers, 250);
BEGIN
    IF numnode(wanted) = 0 THEN
        RETURN;
    END IF;
    -- The newest of them, looked for further and further back: reading the days of all that have a common word would take
    -- longer. Planned for the very words: how many articles have them decides the way.
    last_day := least(to_day, (SELECT max(s.published_on) FROM core.search_document s), current_date);
    until := to_day;
    LOOP
        since := greatest(from_day, last_day - days);
        EXECUTE $sql$
            SELECT array_agg(h.article_uid) FROM (
                SELECT s.article_uid
                FROM core.search_document s
                WHERE ($2 IS NULL OR s.in_language = $2 OR starts_with(s.in_language, $2 || '-'))
                  AND ($3 IS NULL OR s.published_on >= $3)
                  AND ($4 IS NULL OR s.published_on <= $4)
                  AND ($5 IS NULL OR s.outlet = $5)
                  AND s.tokens @@ $1  -- last, since tokens lie apart from their row
                ORDER BY s.published_on DESC NULLS LAST, s.article_uid
                LIMIT $6
            ) h
        $sql$ INTO found USING wanted, language, since, until, of_outlet, ranked - hits;
        newest := newest || found;
        hits := cardinality(newest);
        EXIT WHEN hits = ranked OR since = from_day OR days IS NULL;
        until := since - 1;
        days := CASE WHEN days < 1000
                THEN least(days * 12, ceil(days * 1.3 * ranked / greatest(hits, 1)))::integer END;
    END LOOP;
    -- Tokens lie apart from their row and are read of these alone.
    RETURN QUERY EXECUTE $sql$
        WITH best AS MATERIALIZED (
            SELECT s.article_uid, ts_rank(s.tokens, $1, 1) AS rank, s.published_on
            FROM core.search_document s
            WHERE s.article_uid = ANY ($2)
            ORDER BY rank DESC, s.published_on DESC NULLS LAST, s.article_uid
            LIMIT $3
        )
        SELECT m.article_uid, m.outlet, m.url, m.headline, m.date_published, m.in_language, b.rank,
               mart.search_snippet(m.article_body, $4)
        FROM best b
        JOIN mart.article m ON m.article_uid = b.article_uid
        ORDER BY b.rank DESC, b.published_on DESC NULLS LAST, b.article_uid
    $sql$ USING wanted, newest, answers, query;
END
$$;
COMMENT ON FUNCTION mart.search(text, text, date, date, text, integer) IS 'Articles that have these words, best first: plain words are all wanted, "a phrase" in this order, or, -without. language: BCP 47, en also finds en-GB. from_day, to_day: days of publication (UTC), both included. Of more than 250 hits the newest 250 are ranked, or as many as are asked for. Marks of Latin, Greek, Arabic and Hebrew letters do not matter; runs of Chinese, Japanese, Thai, Lao, Khmer and Burmese are found anywhere in a text.';
