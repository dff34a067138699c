-- Full-text search over articles.
-- depends: 0001.core

CREATE FUNCTION core.search_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    -- Regular expressions take a tenth of what normalize() and translate() take, so they decide whether these are needed.
    SELECT CASE
    -- ASCII, spaces, quotes, dashes: nothing to take apart.
    WHEN value !~ ('[^\u0001-\u007f\u00a0\u00a1\u00a3\u00a7\u00a9\u00ab\u00ae\u00b0\u00b6\u00bb\u00bf'
                   '\u2010\u2012-\u2016\u2018-\u2023\u2026\u20ac]')
    THEN regexp_replace(lower(value COLLATE "pg_c_utf8"), '[/_.@:=&+%#~\\\u00a0\u2026]', ' ', 'g')
    ELSE (
        SELECT regexp_replace(
            CASE WHEN c.composed ~ ('[\u0451\u0649\u0629\u06a9\u06cc\u06be\u06d5\u0671\u00f8\u0142'
                                    '\u0660-\u0669\u06f0-\u06f9]')
            -- letters that are written in two ways: Cyrillic io, Arabic and Persian ya, kaf, ha, ta marbuta, alif wasla
            THEN translate(
                c.composed,
                U&'\0451\0649\0629\06a9\06cc\06be\06d5\0671\00f8\0142'
                '\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06f0\06f1\06f2\06f3\06f4\06f5\06f6\06f7\06f8\06f9',
                U&'\0435\064a\0647\0643\064a\0647\0647\0627ol'
                '01234567890123456789')
            ELSE c.composed END,
            -- what the parser would take for parts of addresses and numbers; half spaces, maqaf, middle dots
            '[/_.@:=&+%#~\\\u200c\u05be\u00b7\u30fb]', ' ', 'g')
        FROM (
            -- Composed anew where a mark, a jamo or a letter of another script may wait for it.
            SELECT CASE WHEN b.bare ~ '[^\u0001-\u02ff\u2000-\u2bff]' THEN normalize(b.bare, NFC)
                        ELSE b.bare END AS composed
            FROM (
                SELECT regexp_replace(
                    regexp_replace(
                        lower(normalize(value, NFKD) COLLATE "pg_c_utf8"),
                        -- marks of Latin and Greek letters
                        '([a-z\u03b1-\u03c9])[\u0300-\u036f]+', '\1', 'g'),
                    -- marks of Arabic and Hebrew, soft hyphens, invisible signs, quotes within Hebrew abbreviations
                    '[\u00ad\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7'
                    '\u05f3\u05f4\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]'
                    '|(?<=[\u05d0-\u05ea])["''](?=[\u05d0-\u05ea])',
                    '', 'g') AS bare
                OFFSET 0  -- each step once
            ) b
            OFFSET 0
        ) c
    ) END
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
    -- A tsvector holds a megabyte; 60,000 different signs of a script without spaces take up nearly all of it.
    SELECT to_tsvector('pg_catalog.simple', COALESCE(core.search_words(core.search_fold(left(value, 60000))), ''))
$$;
COMMENT ON FUNCTION core.search_tokens(text) IS 'The tokens of a text for the index, of its first 60,000 characters: the same function makes those of a query. Version 1.';

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
CREATE INDEX search_document_tokens ON core.search_document USING gin (tokens) WITH (fastupdate = on, gin_pending_list_limit = 16384);
CREATE INDEX search_document_day ON core.search_document (published_on);
CREATE INDEX search_document_outlet_day ON core.search_document (outlet, published_on);
COMMENT ON TABLE core.search_document IS 'The index of mart.search: an article''s current headline, description and text as tokens.';
COMMENT ON COLUMN core.search_document.article_uid IS 'The article.';
COMMENT ON COLUMN core.search_document.search_version IS 'Version of core.search_tokens.';
COMMENT ON COLUMN core.search_document.outlet IS 'Its outlet.';
COMMENT ON COLUMN core.search_document.in_language IS 'Its language, BCP 47.';
COMMENT ON COLUMN core.search_document.published_on IS 'Day of publication (UTC); of the first capture where that is unknown.';
COMMENT ON COLUMN core.search_document.source IS 'What the tokens were made of: an equal one is not made again.';
COMMENT ON COLUMN core.search_document.tokens IS 'Headline (weight A), description (B) and text (D); empty for an article that is not shown.';

CREATE FUNCTION core.flush_search_index() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT gin_clean_pending_list('core.search_document_tokens')
$$;
COMMENT ON FUNCTION core.flush_search_index() IS 'Moves what loads have added to the index of mart.search to its place; returns how many pages that were.';
REVOKE EXECUTE ON FUNCTION core.flush_search_index() FROM PUBLIC;
