-- The fold of a text in a sixth of the time: what a text does not have is not looked for. What it gives is the same
-- for the index, so the version of the tokens stays.
-- depends: 0009.desk

CREATE OR REPLACE FUNCTION core.search_fold(value text) RETURNS text
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

CREATE OR REPLACE FUNCTION core.search_tokens(value text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- A tsvector holds a megabyte; 60,000 different signs of a script without spaces take up nearly all of it.
    SELECT to_tsvector('pg_catalog.simple', COALESCE(core.search_words(core.search_fold(left(value, 60000))), ''))
$$;
COMMENT ON FUNCTION core.search_tokens(text) IS 'The tokens of a text for the index, of its first 60,000 characters: the same function makes those of a query. Version 1.';
