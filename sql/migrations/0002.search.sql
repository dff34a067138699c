-- Full-text search over articles.
-- depends: 0001.core

CREATE FUNCTION core.search_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    -- Regular expressions take a tenth of the time of normalize() and translate(), so they decide whether these run.
    SELECT CASE
    -- Only ASCII, spaces, quotes and dashes: no normalisation needed.
    WHEN value !~ ('[^\u0001-\u007f\u00a0\u00a1\u00a3\u00a7\u00a9\u00ab\u00ae\u00b0\u00b6\u00bb\u00bf'
                   '\u2010\u2012-\u2016\u2018-\u2023\u2026\u20ac]')
    THEN regexp_replace(lower(value COLLATE "pg_c_utf8"), '[/_.@:=&+%#~\\\u00a0\u2026]', ' ', 'g')
    ELSE (
        SELECT regexp_replace(
            CASE WHEN normalised.composed ~ ('[\u0451\u0649\u0629\u06a9\u06cc\u06be\u06d5\u0671\u00f8\u0142'
                                    '\u0660-\u0669\u06f0-\u06f9]')
            -- letters with two spellings: Cyrillic io, Arabic and Persian ya, kaf, ha, ta marbuta, alif wasla
            THEN translate(
                normalised.composed,
                U&'\0451\0649\0629\06a9\06cc\06be\06d5\0671\00f8\0142'
                '\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06f0\06f1\06f2\06f3\06f4\06f5\06f6\06f7\06f8\06f9',
                U&'\0435\064a\0647\0643\064a\0647\0647\0627ol'
                '01234567890123456789')
            ELSE normalised.composed END,
            -- characters that the parser would treat as parts of URLs and numbers; half spaces, maqaf, middle dots
            '[/_.@:=&+%#~\\\u200c\u05be\u00b7\u30fb]', ' ', 'g')
        FROM (
            -- Compose again only if marks, jamo or letters of other scripts may need it.
            SELECT CASE WHEN stripped.bare ~ '[^\u0001-\u02ff\u2000-\u2bff]' THEN normalize(stripped.bare, NFC)
                        ELSE stripped.bare END AS composed
            FROM (
                SELECT regexp_replace(
                    regexp_replace(
                        lower(normalize(value, NFKD) COLLATE "pg_c_utf8"),
                        -- diacritics of Latin and Greek letters
                        '([a-z\u03b1-\u03c9])[\u0300-\u036f]+', '\1', 'g'),
                    -- Arabic and Hebrew marks, soft hyphens, invisible characters, quotes within Hebrew abbreviations
                    '[\u00ad\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7'
                    '\u05f3\u05f4\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff]'
                    '|(?<=[\u05d0-\u05ea])["''](?=[\u05d0-\u05ea])',
                    '', 'g') AS bare
                OFFSET 0  -- prevents inlining, which would evaluate each step several times
            ) stripped
            OFFSET 0
        ) normalised
    ) END
$$;
COMMENT ON FUNCTION core.search_fold(text) IS 'Return a text in the form in which it is searched: NFKC and lower case, without the diacritics of Latin, Greek, Arabic and Hebrew letters. Variants of Arabic and Persian letters and digits are unified. Version 1. A change requires a new version of core.search_document.';

CREATE FUNCTION core.search_unspaced() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT '\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3041-\u30fa\u30fc-\u30ff\u31f0-\u31ff'
           '\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f'
$$;
COMMENT ON FUNCTION core.search_unspaced() IS 'Return the characters of scripts written without spaces between words (Thai, Lao, Burmese, Khmer, Chinese, Japanese) as ranges of a regular expression. Version 1.';

CREATE FUNCTION core.search_words(folded text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
    -- Each such character is doubled. A word of three characters, 123, becomes 1 12 23 3: all adjacent pairs.
    SELECT CASE WHEN folded !~ ('[' || core.search_unspaced() || ']') THEN folded ELSE
        regexp_replace(
            regexp_replace(
                regexp_replace(folded,
                    '([^\s' || core.search_unspaced() || '])([' || core.search_unspaced() || '])', '\1 \2', 'g'),
                '([' || core.search_unspaced() || '])([^\s' || core.search_unspaced() || '])', '\1 \2', 'g'),
            '([' || core.search_unspaced() || '])', '\1 \1', 'g')
    END
$$;
COMMENT ON FUNCTION core.search_words(text) IS 'Return a folded text in which runs of characters written without spaces are replaced by overlapping pairs. Version 1.';

CREATE FUNCTION core.search_tokens(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- A tsvector is limited to 1 MB. 60,000 distinct characters of a script without spaces nearly fill it.
    SELECT to_tsvector('pg_catalog.simple', COALESCE(core.search_words(core.search_fold(left(value, 60000))), ''))
$$;
COMMENT ON FUNCTION core.search_tokens(text) IS 'Return the index tokens of the first 60,000 characters of a text. Version 1.';

CREATE FUNCTION core.search_query(query text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- A run of such characters is searched by its pairs. A single character matches every pair that begins with it.
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
COMMENT ON FUNCTION core.search_query(text) IS 'Convert a search as people type it (words, "a phrase", or, -without) to a tsquery. Version 1.';

CREATE TABLE core.search_document (
    article_uid uuid PRIMARY KEY REFERENCES core.article,
    search_version smallint NOT NULL,
    outlet text NOT NULL,
    in_language text,
    published_on date,
    source bytea NOT NULL,
    tokens tsvector NOT NULL
);
-- Tokens are stored out of line (TOAST), so that scanning many rows does not read them.
ALTER TABLE core.search_document ALTER COLUMN tokens SET STORAGE EXTENDED;
ALTER TABLE core.search_document SET (toast_tuple_target = 128, fillfactor = 90);
CREATE INDEX search_document_tokens ON core.search_document USING gin (tokens) WITH (fastupdate = on, gin_pending_list_limit = 16384);
CREATE INDEX search_document_day ON core.search_document (published_on);
CREATE INDEX search_document_outlet_day ON core.search_document (outlet, published_on);
COMMENT ON TABLE core.search_document IS 'The index of mart.search: the current headline, description and text of each article as tokens.';
COMMENT ON COLUMN core.search_document.article_uid IS 'Article that the tokens belong to.';
COMMENT ON COLUMN core.search_document.search_version IS 'Version of core.search_tokens.';
COMMENT ON COLUMN core.search_document.outlet IS 'Outlet of the article.';
COMMENT ON COLUMN core.search_document.in_language IS 'Language of the article, BCP 47.';
COMMENT ON COLUMN core.search_document.published_on IS 'Publication day (UTC), or the day of the first capture if the publication date is unknown.';
COMMENT ON COLUMN core.search_document.source IS 'Hash of the input of the tokens. Tokens are rebuilt only if it changes.';
COMMENT ON COLUMN core.search_document.tokens IS 'Headline (weight A), description (B) and text (D); empty for an article that is not visible.';

CREATE FUNCTION core.flush_search_index() RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT gin_clean_pending_list('core.search_document_tokens')
$$;
COMMENT ON FUNCTION core.flush_search_index() IS 'Merge the pending entries that loads added to the index of mart.search into its main structure. Returns the number of pages that were merged.';
REVOKE EXECUTE ON FUNCTION core.flush_search_index() FROM PUBLIC;
