-- Copies between articles: what is compared, which pairs are copies, which articles form a story cluster.
-- depends: 0003.staging

CREATE TABLE staging.to_cluster (
    queue_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_uid uuid NOT NULL,
    queued_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE staging.to_cluster IS 'Articles that a load has touched and whose copies have not been looked for since.';
COMMENT ON COLUMN staging.to_cluster.queue_id IS 'Order of arrival. An article may stand here twice.';
COMMENT ON COLUMN staging.to_cluster.article_uid IS 'The article.';
COMMENT ON COLUMN staging.to_cluster.queued_at IS 'When it was loaded.';

CREATE TABLE core.recurring_line (
    outlet_line bigint PRIMARY KEY,
    outlet text NOT NULL REFERENCES core.outlet,
    line text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE core.recurring_line IS 'Lines that stand in three or more articles of an outlet under as many headlines: furniture, which does not count when texts are compared. The texts keep them.';
COMMENT ON COLUMN core.recurring_line.outlet_line IS 'xxh3_64 of the outlet and the line in folded form.';
COMMENT ON COLUMN core.recurring_line.outlet IS 'The outlet.';
COMMENT ON COLUMN core.recurring_line.line IS 'The line as one of the articles has it.';
COMMENT ON COLUMN core.recurring_line.recorded_at IS 'When it was recognised.';

CREATE TABLE core.article_line (
    outlet_line bigint NOT NULL,
    headline_hash bigint NOT NULL,
    article_uid uuid NOT NULL,
    PRIMARY KEY (outlet_line, headline_hash, article_uid)
);
COMMENT ON TABLE core.article_line IS 'Which articles of an outlet hold a line in one of their texts, until the line is known to recur.';
COMMENT ON COLUMN core.article_line.outlet_line IS 'xxh3_64 of the outlet and the line in folded form.';
COMMENT ON COLUMN core.article_line.headline_hash IS 'Headline above the text: two addresses of one article count once.';
COMMENT ON COLUMN core.article_line.article_uid IS 'The article.';

CREATE TABLE core.compared_text (
    compared_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    article_uid uuid NOT NULL REFERENCES core.article,
    text_hash bytea NOT NULL REFERENCES core.text,
    published_on date NOT NULL,
    sig_version smallint NOT NULL,
    long_enough boolean NOT NULL,
    left_out bigint[] NOT NULL DEFAULT '{}',
    live boolean NOT NULL DEFAULT true,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX compared_text_live ON core.compared_text (article_uid, text_hash) WHERE live;
CREATE INDEX compared_text_text ON core.compared_text (text_hash, compared_id) WHERE live AND long_enough;
COMMENT ON TABLE core.compared_text IS 'A text of an article as the search for copies sees it: without the lines that recur over its outlet.';
COMMENT ON COLUMN core.compared_text.compared_id IS 'Number of the row; another one once more of its lines prove to recur.';
COMMENT ON COLUMN core.compared_text.article_uid IS 'The article.';
COMMENT ON COLUMN core.compared_text.text_hash IS 'One of the texts that it has had.';
COMMENT ON COLUMN core.compared_text.published_on IS 'Day of publication (UTC), or of the first visit where that is unknown: copies are looked for 30 days either side.';
COMMENT ON COLUMN core.compared_text.sig_version IS 'Version of the signature''s constants.';
COMMENT ON COLUMN core.compared_text.long_enough IS 'Whether 50 words are left without the recurring lines; shorter texts have no copies.';
COMMENT ON COLUMN core.compared_text.left_out IS 'Its lines of core.recurring_line.';
COMMENT ON COLUMN core.compared_text.live IS 'false once another row took its place.';
COMMENT ON COLUMN core.compared_text.recorded_at IS 'When it was compared.';

CREATE TABLE core.copy_band (
    month date NOT NULL,
    band_hash bigint NOT NULL,
    compared_id bigint NOT NULL
);
CREATE INDEX copy_band_key ON core.copy_band (month, band_hash, compared_id);
COMMENT ON TABLE core.copy_band IS 'Bands of MinHash signatures: two texts that share one are candidates for copies. The month leads the index, so that inserts and look-ups of a time stay together.';
COMMENT ON COLUMN core.copy_band.month IS 'First day of the month of publication.';
COMMENT ON COLUMN core.copy_band.band_hash IS 'xxh3_64 of a band and its number: 32 of four values of the whole text, 8 of its beginning.';
COMMENT ON COLUMN core.copy_band.compared_id IS 'The compared text.';

CREATE TABLE core.copy (
    compared_a bigint NOT NULL REFERENCES core.compared_text,
    compared_b bigint NOT NULL REFERENCES core.compared_text,
    similarity real NOT NULL,
    containment real NOT NULL,
    shared_shingles integer,
    load_seq bigint NOT NULL,
    PRIMARY KEY (compared_a, compared_b),
    CHECK (compared_a < compared_b)
);
CREATE INDEX copy_other ON core.copy (compared_b);
COMMENT ON TABLE core.copy IS 'Pairs of texts that are copies, verified on the texts themselves. A pair holds while both of its rows in core.compared_text are live.';
COMMENT ON COLUMN core.copy.compared_a IS 'The one text.';
COMMENT ON COLUMN core.copy.compared_b IS 'The other, of another article.';
COMMENT ON COLUMN core.copy.similarity IS 'Jaccard similarity of their shingles, 0 to 1.';
COMMENT ON COLUMN core.copy.containment IS 'Share of the shorter text''s shingles that the longer one has, 0 to 1.';
COMMENT ON COLUMN core.copy.shared_shingles IS 'Number of shingles that both have; null for equal texts, which need no comparison.';
COMMENT ON COLUMN core.copy.load_seq IS 'Load that found the pair.';

CREATE TABLE core.cluster_member (
    article_uid uuid NOT NULL REFERENCES core.article,
    story_cluster uuid NOT NULL,
    load_seq bigint NOT NULL,
    superseded_seq bigint,
    PRIMARY KEY (article_uid, load_seq)
);
CREATE UNIQUE INDEX cluster_member_current ON core.cluster_member (article_uid) WHERE superseded_seq IS NULL;
CREATE INDEX cluster_member_label ON core.cluster_member (story_cluster) WHERE superseded_seq IS NULL;
COMMENT ON TABLE core.cluster_member IS 'Articles that have copies, and their story cluster. Superseded, not overwritten. A label is the smallest article_uid of its cluster, hence itself an article: a label of old is looked up as one.';
COMMENT ON COLUMN core.cluster_member.article_uid IS 'The article.';
COMMENT ON COLUMN core.cluster_member.story_cluster IS 'Its cluster: the smallest article_uid of all that are connected by copies.';
COMMENT ON COLUMN core.cluster_member.load_seq IS 'Load that put it there.';
COMMENT ON COLUMN core.cluster_member.superseded_seq IS 'Load that put it elsewhere; null for where it is now.';

-- What a warehouse of an earlier version holds already.
INSERT INTO staging.to_cluster (article_uid) SELECT article_uid FROM core.article WHERE merged_into IS NULL;
