CREATE VIEW mart.outlet_health AS
SELECT outlet.outlet, outlet.name, outlet.tier, outlet.enabled, COALESCE(health.state, 'new') AS state,
       COALESCE(health.reason, 'not evaluated yet') AS reason, health.since, health.checked_at
FROM core.outlet
LEFT JOIN ops.health ON health.outlet = outlet.outlet;

COMMENT ON VIEW mart.outlet_health IS 'Health of each outlet at its last check. Recent crawls are compared with the outlet''s own history.';
COMMENT ON COLUMN mart.outlet_health.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_health.name IS 'Display name.';
COMMENT ON COLUMN mart.outlet_health.tier IS 'Schedule class, which sets how often the outlet is crawled: hourly, six_hourly or daily.';
COMMENT ON COLUMN mart.outlet_health.enabled IS 'Whether the outlet''s file enables scheduled crawls.';
COMMENT ON COLUMN mart.outlet_health.state IS 'fresh, late, silent, blocked, extraction_broken, failing, paused or new.';
COMMENT ON COLUMN mart.outlet_health.reason IS 'Evidence for the state.';
COMMENT ON COLUMN mart.outlet_health.since IS 'When the outlet entered this state.';
COMMENT ON COLUMN mart.outlet_health.checked_at IS 'When the outlet was last checked.';

CREATE VIEW mart.alert AS
SELECT alert_id, cause, outlet, message, opened_at, last_seen_at, closed_at, notified_at
FROM ops.alert;

COMMENT ON VIEW mart.alert IS 'Alerts for operators: one row per cause and outlet for as long as the problem lasted.';
COMMENT ON COLUMN mart.alert.alert_id IS 'Key.';
COMMENT ON COLUMN mart.alert.cause IS 'A state of mart.outlet_health, internal_failure or disk.';
COMMENT ON COLUMN mart.alert.outlet IS 'Outlet concerned; null for an alert about the installation.';
COMMENT ON COLUMN mart.alert.message IS 'Text of the alert.';
COMMENT ON COLUMN mart.alert.opened_at IS 'When the problem was first seen.';
COMMENT ON COLUMN mart.alert.last_seen_at IS 'When the problem was last seen.';
COMMENT ON COLUMN mart.alert.closed_at IS 'When the problem ended; null while it lasts.';
COMMENT ON COLUMN mart.alert.notified_at IS 'When someone was notified; null if a mute covered the alert.';
