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
    -- Pick the paragraph with the most words. Folding keeps line breaks, so that both texts have the same lines.
    SELECT paragraphs.line, paragraphs.folded INTO paragraph, folded
    FROM unnest(string_to_array(body, E'\n'), string_to_array(core.search_fold(body), E'\n'))
         WITH ORDINALITY AS paragraphs (line, folded, number)
    WHERE paragraphs.line IS NOT NULL
    ORDER BY (SELECT count(*) FROM unnest(wanted) AS w (word) WHERE strpos(paragraphs.folded, w.word) > 0) DESC,
             paragraphs.number
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
COMMENT ON FUNCTION mart.search_snippet(text, text) IS 'Return the paragraph of a text that contains the most words of a search, with these words «marked». Long paragraphs are cut to 320 characters.';

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
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog SET join_collapse_limit = 11
-- The planner does not know that reading the tokens of an article takes 20 µs, and that a lookup concerns one partition.
SET enable_seqscan = off SET enable_indexscan = on SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wanted tsquery := core.search_query(query);
    last_day date;
    since date;
    days integer := 2;
    until date;
    found uuid[];
    found_days date[];
    newest uuid[] := '{}';
    newest_days date[] := '{}';
    hits integer := 0;
    answers integer := least(greatest(most, 1), 1000);
    ranked integer := greatest(answers, 250);
BEGIN
    IF numnode(wanted) = 0 THEN
        RETURN;
    END IF;
    -- Collect the newest matches in windows that reach further and further back. Reading the days of all articles that
    -- contain a common word would take longer. EXECUTE plans for the actual words: the best plan depends on how many
    -- articles contain them.
    last_day := least(to_day, (SELECT max(dated.date_published)::date FROM core.article dated), current_date);
    until := to_day;
    -- Nor does it know how many articles contain a phrase: walking back through the days until enough are found may read
    -- the tokens of all of them. Bitmaps read the tokens of those that contain its words.
    PERFORM set_config('enable_indexscan', 'off', true);
    LOOP
        since := greatest(from_day, last_day - days);
        EXECUTE $sql$
            SELECT array_agg(hit.article_uid), array_agg(hit.published_on) FROM (
                SELECT document.article_uid, document.published_on
                FROM core.search_document document
                WHERE ($2 IS NULL OR document.in_language = $2 OR starts_with(document.in_language, $2 || '-'))
                  AND ($3 IS NULL OR document.published_on >= $3)
                  AND ($4 IS NULL OR document.published_on <= $4)
                  AND ($5 IS NULL OR document.outlet = $5)
                  AND document.tokens @@ $1  -- last, because tokens are stored out of line
                ORDER BY document.published_on DESC, document.article_uid
                LIMIT $6
            ) hit
        $sql$ INTO found, found_days USING wanted, language, since, until, of_outlet, ranked - hits;
        newest := newest || found;
        newest_days := newest_days || found_days;
        hits := cardinality(newest);
        EXIT WHEN hits = ranked OR since = from_day OR days IS NULL;
        until := since - 1;
        days := CASE WHEN days < 1000
                THEN least(days * 12, ceil(days * 1.3 * ranked / greatest(hits, 1)))::integer END;
    END LOOP;
    PERFORM set_config('enable_indexscan', 'on', true);
    -- Tokens are stored out of line. Only those of the collected articles are read.
    RETURN QUERY EXECUTE $sql$
        WITH best AS MATERIALIZED (
            SELECT document.article_uid, ts_rank(document.tokens, $1, 1) AS rank, document.published_on
            FROM unnest($2, $5) AS hit (article_uid, published_on)
            JOIN core.search_document document
                ON document.article_uid = hit.article_uid AND document.published_on = hit.published_on
            WHERE document.published_on BETWEEN $5[cardinality($5)] AND $5[1]  -- newest first
            ORDER BY rank DESC, document.published_on DESC, document.article_uid
            LIMIT $3
        )
        SELECT article.article_uid, article.outlet, article.url, article.headline, article.date_published,
               article.in_language, best.rank, mart.search_snippet(article.article_body, $4)
        FROM best
        JOIN mart.article ON article.article_uid = best.article_uid
        ORDER BY best.rank DESC, best.published_on DESC, best.article_uid
    $sql$ USING wanted, newest, answers, query, newest_days;
END
$$;
COMMENT ON FUNCTION mart.search(text, text, date, date, text, integer) IS 'Search articles and return the best matches first. Plain words must all occur. The words of "a phrase" must follow each other. `or` matches either side, and `-word` excludes a word. language: BCP 47; en also matches en-GB. from_day, to_day: publication days (UTC), both inclusive. of_outlet: outlet slug. most: maximum number of results, up to 1,000. If there are more than 250 matches, only the newest 250 are ranked, or the newest `most` if that is higher. Diacritics of Latin, Greek, Arabic and Hebrew letters are ignored. Chinese, Japanese, Thai, Lao, Khmer and Burmese words match anywhere in a text.';
