-- Standfirst, kinds of lines, images, live blogs and confidence of a text, and the outcome of texts that are none.
-- depends: 0005.input_rules

INSERT INTO core.outcome (outcome, class, meaning) VALUES
    ('implausible_text', 'refused', 'The text that was found is not the article''s: navigation, a notice, or a fraction of what the outlet''s pages usually give.');

ALTER TABLE core.extraction
    ADD COLUMN standfirst text,
    ADD COLUMN line_kinds text,
    ADD COLUMN images jsonb,
    ADD COLUMN is_live_blog boolean NOT NULL DEFAULT false,
    ADD COLUMN live_posts jsonb,
    ADD COLUMN extraction_confidence real,
    ADD COLUMN confidence_basis jsonb;
COMMENT ON COLUMN core.extraction.standfirst IS 'Sentences between the headline and the text that sum up the article.';
COMMENT ON COLUMN core.extraction.line_kinds IS 'One letter per line of the main text: p paragraph, 1 to 6 heading of that level, l list item, q quote, t table row. Null for texts that were extracted before there were kinds.';
COMMENT ON COLUMN core.extraction.images IS 'Images of the article in page order, each with url, caption, credit, alt and source.';
COMMENT ON COLUMN core.extraction.is_live_blog IS 'Whether the text is a series of posts with times.';
COMMENT ON COLUMN core.extraction.live_posts IS 'Posts of a live blog in the order of the text, each with the position of its first line (from 0), posted_at and posted_raw.';
COMMENT ON COLUMN core.extraction.extraction_confidence IS 'Probability from 0 to 1 that the main text is right (F1 above .9). Null if the text comes from a script, or was extracted before there were confidences.';
COMMENT ON COLUMN core.extraction.confidence_basis IS 'Evidence that the confidence rests on, each from 0 to 1: agreement, line_certainty, kept, linked, titles, one_path.';

ALTER TABLE staging.capture
    ADD COLUMN standfirst text,
    ADD COLUMN line_kinds text,
    ADD COLUMN images jsonb,
    ADD COLUMN is_live_blog boolean NOT NULL DEFAULT false,
    ADD COLUMN live_posts jsonb,
    ADD COLUMN extraction_confidence real,
    ADD COLUMN confidence_basis jsonb;
COMMENT ON COLUMN staging.capture.standfirst IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.line_kinds IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.images IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.is_live_blog IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.live_posts IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.extraction_confidence IS 'See core.extraction.';
COMMENT ON COLUMN staging.capture.confidence_basis IS 'See core.extraction.';

CREATE TABLE core.outlet_line (
    outlet text NOT NULL REFERENCES core.outlet,
    line_key text NOT NULL,
    line text NOT NULL,
    articles integer NOT NULL,
    learned_on date NOT NULL,
    last_seen_on date NOT NULL,
    is_forgotten boolean NOT NULL DEFAULT false,
    PRIMARY KEY (outlet, line_key)
);
COMMENT ON TABLE core.outlet_line IS 'The outlet''s memory: lines that stood above or below the text of at least five of its latest articles, each under another headline. Extraction removes them there. A line that has not been seen for 90 days is forgotten.';
COMMENT ON COLUMN core.outlet_line.outlet IS 'Outlet whose pages repeat the line.';
COMMENT ON COLUMN core.outlet_line.line_key IS 'xxh3_64 of the line in comparable form (NFKC, lower case, digits as 0), in hexadecimal.';
COMMENT ON COLUMN core.outlet_line.line IS 'The line as written in one of the articles.';
COMMENT ON COLUMN core.outlet_line.articles IS 'Number of articles from which it was learned.';
COMMENT ON COLUMN core.outlet_line.learned_on IS 'Day on which it was learned.';
COMMENT ON COLUMN core.outlet_line.last_seen_on IS 'Last day on which a page had it.';
COMMENT ON COLUMN core.outlet_line.is_forgotten IS 'Whether an operator said that it is part of the texts. It is not removed, and not learned again.';
