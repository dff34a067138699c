-- The outlet's memory: lines that stand above or below many of its texts.

-- name: keys
-- Return the keys of an outlet's lines.
SELECT line_key FROM (
    SELECT line_key FROM core.outlet_line
    WHERE outlet = %(outlet)s AND NOT is_forgotten AND last_seen_on >= %(today)s::date - %(days)s::integer
    ORDER BY last_seen_on DESC, articles DESC, line_key LIMIT %(most)s
) remembered
ORDER BY line_key;

-- name: lines
-- Return an outlet's lines, the most frequent first.
SELECT line, articles, learned_on, last_seen_on FROM core.outlet_line
WHERE outlet = %(outlet)s AND NOT is_forgotten ORDER BY articles DESC, line_key;

-- name: learn
-- Add rows (outlet, line_key, line, articles, learned_on, last_seen_on), or record that the lines are still seen.
INSERT INTO core.outlet_line (outlet, line_key, line, articles, learned_on, last_seen_on) VALUES %s
ON CONFLICT (outlet, line_key) DO UPDATE
SET articles = GREATEST(outlet_line.articles, excluded.articles), last_seen_on = excluded.last_seen_on;

-- name: purge
-- Forget lines that have not been seen for long, and the least recent ones beyond the limit per outlet.
DELETE FROM core.outlet_line USING (
    SELECT outlet, line_key,
           row_number() OVER (PARTITION BY outlet ORDER BY last_seen_on DESC, articles DESC, line_key) AS place
    FROM core.outlet_line
) ranked
WHERE outlet_line.outlet = ranked.outlet AND outlet_line.line_key = ranked.line_key
  AND (ranked.place > %(most)s OR outlet_line.last_seen_on < %(today)s::date - %(days)s::integer);

-- name: forget_line
-- Forget one line of an outlet. The row stays, so that the line is not learned again.
UPDATE core.outlet_line SET is_forgotten = true
WHERE outlet = %(outlet)s AND line_key = %(line_key)s AND NOT is_forgotten;

-- name: mark_seen
-- Record that pages still have these lines.
UPDATE core.outlet_line SET last_seen_on = %(today)s
WHERE outlet = %(outlet)s AND line_key = ANY (%(keys)s::text[]) AND last_seen_on < %(today)s;
