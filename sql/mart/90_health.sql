CREATE VIEW mart.outlet_health AS
SELECT o.outlet, o.name, o.tier, o.enabled, COALESCE(h.state, 'new') AS state, COALESCE(h.reason, 'not looked at yet') AS reason,
       h.since, h.checked_at
FROM core.outlet o
LEFT JOIN ops.health h ON h.outlet = o.outlet;

COMMENT ON VIEW mart.outlet_health IS 'How each outlet fares, by its last crawls beside its own past, as it was last judged.';
COMMENT ON COLUMN mart.outlet_health.outlet IS 'Slug.';
COMMENT ON COLUMN mart.outlet_health.name IS 'Name for people.';
COMMENT ON COLUMN mart.outlet_health.tier IS 'Cadence of its crawls.';
COMMENT ON COLUMN mart.outlet_health.enabled IS 'Whether its file lets it be crawled on schedule.';
COMMENT ON COLUMN mart.outlet_health.state IS 'fresh, late, silent, blocked, extraction_broken, failing, paused or new.';
COMMENT ON COLUMN mart.outlet_health.reason IS 'What shows it.';
COMMENT ON COLUMN mart.outlet_health.since IS 'Since when it is in this state.';
COMMENT ON COLUMN mart.outlet_health.checked_at IS 'When it was last judged.';

CREATE VIEW mart.alert AS
SELECT a.alert_id, a.cause, a.outlet, a.message, a.opened_at, a.last_seen_at, a.closed_at, a.notified_at
FROM ops.alert a;

COMMENT ON VIEW mart.alert IS 'What an operator was to know: a row a cause, as long as it lasted.';
COMMENT ON COLUMN mart.alert.alert_id IS 'Key.';
COMMENT ON COLUMN mart.alert.cause IS 'A state of mart.outlet_health, internal_failure or disk.';
COMMENT ON COLUMN mart.alert.outlet IS 'The outlet; null for one that concerns the installation.';
COMMENT ON COLUMN mart.alert.message IS 'In words.';
COMMENT ON COLUMN mart.alert.opened_at IS 'When it was first seen.';
COMMENT ON COLUMN mart.alert.last_seen_at IS 'When it was last seen.';
COMMENT ON COLUMN mart.alert.closed_at IS 'When it was over; null while it lasts.';
COMMENT ON COLUMN mart.alert.notified_at IS 'When somebody was told; null where a silence covered it.';
