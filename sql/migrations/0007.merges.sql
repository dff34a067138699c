-- Articles that prove to be another one lead to it.
-- depends: 0006.finding

CREATE INDEX article_merged ON core.article (merged_into) WHERE merged_into IS NOT NULL;
COMMENT ON COLUMN core.article.merged_into IS 'The article that this one proved to be: its page names that one''s address as canonical, and a capture of the one has the very text of a capture of the other. Null for an article of its own.';

CREATE TABLE core.article_merge (
    article_uid uuid NOT NULL REFERENCES core.article,
    merged_into uuid NOT NULL REFERENCES core.article,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
COMMENT ON TABLE core.article_merge IS 'Which article led to which other, and from when to when: superseded, not overwritten. What holds now stands in core.article.merged_into too.';
COMMENT ON COLUMN core.article_merge.article_uid IS 'The article that is no longer one of its own.';
COMMENT ON COLUMN core.article_merge.merged_into IS 'The article that it proved to be.';
COMMENT ON COLUMN core.article_merge.load_seq IS 'Load that found it out.';
COMMENT ON COLUMN core.article_merge.superseded_seq IS 'Load that parted them again; null while it holds.';
