CREATE VIEW mart.outlet_health AS
SELECT outlet.outlet, outlet.name, outlet.tier, outlet.enabled, COALESCE(health.state, 'new') AS state,
       COALESCE(health.reason, 'not evaluated yet') AS reason, health.since, health.checked_at,
       health.last_new_article_at, COALESCE(health.failed_crawls, 0) AS failed_crawls, health.first_failed_at,
       health.last_failed_at, back_off.waiting_until, back_off.waiting_because,
       override.state AS override, override.reason AS override_reason, override.set_by AS override_by,
       override.until AS override_until
FROM core.outlet
LEFT JOIN ops.health ON health.outlet = outlet.outlet
LEFT JOIN LATERAL (
    -- The outlet waits if none of its endpoints may be polled.
    SELECT min(endpoint.next_poll_at) AS waiting_until,
           (array_agg(endpoint.failure ORDER BY endpoint.next_poll_at))[1] AS waiting_because
    FROM ops.endpoint
    WHERE endpoint.outlet = outlet.outlet AND endpoint.configured
    HAVING min(endpoint.failures) > 0 AND min(endpoint.next_poll_at) > now()
) back_off ON true
LEFT JOIN LATERAL (
    SELECT latest.* FROM ops.outlet_override latest
    WHERE latest.outlet = outlet.outlet ORDER BY latest.set_at DESC LIMIT 1
) override ON override.state <> 'running' AND (override.until IS NULL OR override.until > now());

COMMENT ON VIEW mart.outlet_health IS 'Health of each outlet at its last check. Recent crawls are compared with the outlet''s own history.';
COMMENT ON COLUMN mart.outlet_health.outlet IS 'Outlet slug (mart.outlet).';
COMMENT ON COLUMN mart.outlet_health.name IS 'Display name.';
COMMENT ON COLUMN mart.outlet_health.tier IS 'Schedule class, which sets how often the outlet is crawled: hourly, six_hourly or daily.';
COMMENT ON COLUMN mart.outlet_health.enabled IS 'Whether the outlet''s file enables scheduled crawls.';
COMMENT ON COLUMN mart.outlet_health.state IS 'fresh, late, silent, blocked, extraction_broken, failing, paused or new.';
COMMENT ON COLUMN mart.outlet_health.reason IS 'Evidence for the state, without ages: the times are in the other columns.';
COMMENT ON COLUMN mart.outlet_health.since IS 'When the outlet entered this state.';
COMMENT ON COLUMN mart.outlet_health.checked_at IS 'When the outlet was last checked.';
COMMENT ON COLUMN mart.outlet_health.last_new_article_at IS 'When a scheduled crawl had last found a new article, at the last check.';
COMMENT ON COLUMN mart.outlet_health.failed_crawls IS 'Number of scheduled crawls that failed since the last successful one.';
COMMENT ON COLUMN mart.outlet_health.first_failed_at IS 'When the first of them started.';
COMMENT ON COLUMN mart.outlet_health.last_failed_at IS 'When the last of them started.';
COMMENT ON COLUMN mart.outlet_health.waiting_until IS 'Scheduled crawls request nothing from the outlet until this time, because all its endpoints failed; null if they do.';
COMMENT ON COLUMN mart.outlet_health.waiting_because IS 'What happened at the last poll of the endpoint that is due first.';
COMMENT ON COLUMN mart.outlet_health.override IS 'paused or retired, if an operator set this; else null.';
COMMENT ON COLUMN mart.outlet_health.override_reason IS 'Reason that the operator gave.';
COMMENT ON COLUMN mart.outlet_health.override_by IS 'Operator who paused or retired the outlet.';
COMMENT ON COLUMN mart.outlet_health.override_until IS 'When the pause ends; null if somebody has to end it.';

CREATE VIEW mart.alert AS
SELECT alert.alert_id, alert.cause, alert.outlet, alert.message, alert.opened_at, alert.last_seen_at, alert.closed_at,
       alert.notified_at, alert.over_notified_at, covering.muted_by, covering.until AS muted_until,
       covering.reference AS mute_reference
FROM ops.alert
LEFT JOIN LATERAL (
    SELECT mute.muted_by, mute.until, mute.reference FROM ops.alert_mute mute
    WHERE (mute.outlet IS NULL OR mute.outlet = alert.outlet) AND (mute.cause IS NULL OR mute.cause = alert.cause)
      AND (mute.until IS NULL OR mute.until > now())
    ORDER BY mute.until DESC NULLS FIRST LIMIT 1
) covering ON alert.closed_at IS NULL;

COMMENT ON VIEW mart.alert IS 'Alerts for operators: one row per cause and outlet for as long as the problem lasted.';
COMMENT ON COLUMN mart.alert.alert_id IS 'Key.';
COMMENT ON COLUMN mart.alert.cause IS 'A state of mart.outlet_health, internal_failure or disk.';
COMMENT ON COLUMN mart.alert.outlet IS 'Outlet concerned; null for an alert about the installation.';
COMMENT ON COLUMN mart.alert.message IS 'Text of the alert.';
COMMENT ON COLUMN mart.alert.opened_at IS 'When the problem was first seen.';
COMMENT ON COLUMN mart.alert.last_seen_at IS 'When the problem was last seen.';
COMMENT ON COLUMN mart.alert.closed_at IS 'When the problem ended; null while it lasts.';
COMMENT ON COLUMN mart.alert.notified_at IS 'When someone was notified; null if a mute covered the alert.';
COMMENT ON COLUMN mart.alert.over_notified_at IS 'When someone was notified that the problem is over.';
COMMENT ON COLUMN mart.alert.muted_by IS 'Operator who muted the open alert; null if it is not muted.';
COMMENT ON COLUMN mart.alert.muted_until IS 'When the mute ends; null if it lasts as long as its ticket.';
COMMENT ON COLUMN mart.alert.mute_reference IS 'Ticket that the mute belongs to.';
