-- URL rule 2, organisations as authors, and the choice between the dates of a page and of its listing.
-- depends: 0004.staging

ALTER TABLE core.article ADD COLUMN loose_uid uuid;
-- The ids of existing articles were made by rule 1, so each is its own loose identity.
UPDATE core.article SET loose_uid = article_uid;
ALTER TABLE core.article ALTER COLUMN loose_uid SET NOT NULL;
CREATE INDEX article_loose ON core.article (loose_uid);
COMMENT ON COLUMN core.article.loose_uid IS 'Identity of the URL under rule 1, which ignored parameters such as ref and path endings such as /amp. Ids that were given under rule 1 lead to articles by it. Articles of one outlet that share it are merged if their text is the same.';
COMMENT ON COLUMN core.article.url_rule IS 'Version of the URL rules under which the article was added. The id of a URL changes only if its normalised form does.';
COMMENT ON COLUMN core.article.article_uid IS 'First 16 bytes of sha256(outlet, first URL rule version that gives this normalised URL, normalised URL). It is the same in every rebuild.';
COMMENT ON COLUMN core.article.merged_into IS 'Article that this one was merged into; null if it was not merged. Articles are merged if the page names the other URL as canonical and the two have had exactly the same text, or if their URLs differ only by what rule 1 ignored and their current text is the same.';

ALTER TABLE staging.capture ADD COLUMN loose_uid uuid;
COMMENT ON COLUMN staging.capture.loose_uid IS 'Identity of the URL under rule 1; null in rows staged before rule 2.';

ALTER TABLE core.extraction ADD COLUMN author_organisations text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN core.extraction.author_organisations IS 'Agencies, newsrooms and other organisations that the byline names.';
COMMENT ON COLUMN core.extraction.authors IS 'Persons that the byline names. If it names none, its organisations.';
COMMENT ON COLUMN core.extraction.date_published_flag IS 'future, too_early, ambiguous or unparsable: why date_published is null although date_published_raw is not. ambiguous: day and month may be swapped, and nothing decides. zone_assumed: the page gives no UTC offset or an ambiguous zone, so the outlet''s time zone was used.';
ALTER TABLE staging.capture ADD COLUMN author_organisations text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN staging.capture.author_organisations IS 'Agencies, newsrooms and other organisations that the byline names.';

ALTER TABLE ops.removal ADD COLUMN url_rule smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN ops.removal.url_rule IS 'Version of the URL rules when the removal was entered. It covers a URL by its identity under this and every later version.';

ALTER TABLE ops.endpoint_poll ADD COLUMN is_truncated boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN ops.endpoint_poll.is_truncated IS 'Whether the listing was longer than the outlet''s budget, so that a part of it was not used.';

-- The bodies are parsed here and now (RETURN), because analysts, who may not look into core, call them through views.
CREATE FUNCTION core.date_rank(source text) RETURNS integer
LANGUAGE sql IMMUTABLE
RETURN CASE source
        WHEN 'json_ld' THEN 1 WHEN 'meta' THEN 2
        WHEN 'feed' THEN 3 WHEN 'news_sitemap' THEN 3 WHEN 'wordpress' THEN 3
        WHEN 'time_element' THEN 4 WHEN 'text' THEN 5 WHEN 'archive' THEN 6 WHEN 'url' THEN 7 ELSE 8 END;
COMMENT ON FUNCTION core.date_rank(text) IS 'Return the rank of a source of publication dates; 1 is the most reliable. Structured data and meta elements of the page come before feeds and news sitemaps, these before visible text, and the day in a URL comes last.';

CREATE FUNCTION core.dates_conflict(page timestamptz, page_precision text, listed timestamptz, listed_precision text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN page IS NOT NULL AND listed IS NOT NULL
        -- A day without a time lies within 14 hours of midnight UTC on either side, and lasts 24 hours.
        AND abs(extract(epoch FROM page - listed)) > CASE
            WHEN page_precision = 'day' OR listed_precision = 'day' THEN 3600 * 38 ELSE 3600 * 24 END;
COMMENT ON FUNCTION core.dates_conflict(timestamptz, text, timestamptz, text) IS 'Return whether the dates of a page and of its listing disagree by more than a day.';

CREATE FUNCTION core.prefers_listed(page timestamptz, page_source text, page_precision text, listed timestamptz,
                                    listed_source text, listed_precision text)
RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN listed IS NOT NULL AND (
        page IS NULL
        OR (core.dates_conflict(page, page_precision, listed, listed_precision)
            AND core.date_rank(listed_source) < core.date_rank(page_source)));
COMMENT ON FUNCTION core.prefers_listed(timestamptz, text, text, timestamptz, text, text) IS 'Return whether the date of the listing is used instead of the date of the page: if the page has none, or if the two conflict and the listing''s source has a better rank.';

CREATE TABLE ops.lock (
    name text PRIMARY KEY,
    holder uuid,
    fencing_token bigint NOT NULL DEFAULT 0,
    backend_pid integer,
    backend_started_at timestamptz,
    heartbeat_at timestamptz,
    expires_at timestamptz
);
COMMENT ON TABLE ops.lock IS 'Locks of crawls and maintenance, as rows that no reader can touch. `load` and `cluster` are locked as rows for the length of a transaction. All others are leases: held until expires_at, or until their holder is disconnected.';
COMMENT ON COLUMN ops.lock.name IS 'What is locked: load, cluster, crawl:<outlet>:<mode>, alive:<crawl_id>, lease:<process>, or a maintenance task.';
COMMENT ON COLUMN ops.lock.holder IS 'Process that holds the lease; null if it is free.';
COMMENT ON COLUMN ops.lock.fencing_token IS 'Number of times the lease was taken. A holder must not commit with an outdated number.';
COMMENT ON COLUMN ops.lock.backend_pid IS 'Server process of the holder''s connection.';
COMMENT ON COLUMN ops.lock.backend_started_at IS 'When that server process was started.';
COMMENT ON COLUMN ops.lock.heartbeat_at IS 'Last heartbeat of the holder, which sends one every two seconds.';
COMMENT ON COLUMN ops.lock.expires_at IS 'When the lease ends unless the holder renews it.';

CREATE FUNCTION ops.is_held(held ops.lock) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
    SELECT held.holder IS NOT NULL AND held.expires_at > clock_timestamp()
        AND (held.heartbeat_at > clock_timestamp() - interval '5 seconds'
             -- The start is hidden if the connection is another role's.
             OR EXISTS (SELECT 1 FROM pg_stat_activity activity
                        WHERE activity.pid = held.backend_pid
                          AND COALESCE(activity.backend_start = held.backend_started_at, true)))
$$;
COMMENT ON FUNCTION ops.is_held(ops.lock) IS 'Return whether a lease is held: it has not expired, and the last heartbeat is at most five seconds old or the holder is still connected.';
