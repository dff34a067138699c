"""Send alerts to the log and, if Airflow has a connection `pressmark_alerts`, to Slack, a webhook or by email.

- Connection type `slackwebhook`: the host is `https://hooks.slack.com/services`, the password is the rest of the URL.
- Connection type `http`: POST `{"text": ..., "subject": ..., "alerts": [...], "link": ...}` to the connection's URL.
  Mattermost and similar services accept this too. A password in the connection is sent as a bearer token.
- Connection type `smtp`: email to the addresses in the extra field `to`, from the address in `from`.

There is one message for each cause, with a link to the operator pages, and one when it is over. A failure to send is
logged and fails no task. What could not be sent is sent again with the next alerts. `pressmark test-alert` sends a
test.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from pressmark.warehouse.connection import Warehouse

CONNECTION = "pressmark_alerts"
PAGES = "/plugin/pressmark/pressmark"
"""Path of the operator pages inside Airflow's UI, which shows the path behind `/plugin/pressmark` in a frame."""
_TIMEOUT = 10  # seconds

logger = logging.getLogger(__name__)


def send_alerts(subject: str, lines: Sequence[str], page: str = "", is_over: bool = False) -> bool:
    """Log these alerts and send them as one message. Return False if sending failed.

    page: the operator page to link to. Does nothing if there are no lines. Without a connection, the alerts are only
    logged.
    """
    if not lines:
        return True
    for line in lines:
        logger.log(logging.INFO if is_over else logging.WARNING, "ALERT %s", line)
    try:
        connection = _connection()
        if connection is not None:
            _send(connection, subject, lines, _link(page))
    except Exception as error:
        logger.error("Cannot send alerts through the connection %s: %s. Check its settings.", CONNECTION, _safe(error))
        return False
    return True


def send_test_alert() -> str:
    """Send a test alert. Return a sentence that says where it went. Raises PressmarkError if it was not sent."""
    from pressmark.errors import ConfigError, PressmarkError

    connection = _connection()
    if connection is None:
        raise ConfigError(
            f"Airflow has no connection {CONNECTION}, so alerts are only logged. docs/operator.md shows how to add one."
        )
    try:
        _send(connection, "test", ["This is a test. No outlet has a problem."], _link(""))
    except Exception as error:
        raise PressmarkError(
            f"The test alert was not sent through the connection {CONNECTION}: {_safe(error)}. Check its settings."
        ) from None
    return f"Sent a test alert through the connection {CONNECTION} ({connection.conn_type} {connection.host})."


def send_open_alerts(warehouse: Warehouse) -> None:
    """Send the open alerts that are neither sent nor muted, and those that are over: one message for each cause."""
    from pressmark.health.monitor import Alert, deliver_alerts

    def send(cause: str, alerts: Sequence[Alert], is_over: bool) -> bool:
        outlets = [alert.outlet for alert in alerts if alert.outlet]
        page = f"outlet?id={quote(outlets[0])}" if len(outlets) == 1 else "overview"
        return send_alerts(_subject(cause, outlets, is_over), [alert.message for alert in alerts], page, is_over)

    deliver_alerts(warehouse, send)


def _subject(cause: str, outlets: Sequence[str], is_over: bool) -> str:
    words = cause.replace("_", " ")
    if not outlets:
        return f"{words} is over" if is_over else words
    names = ", ".join(outlets[:3]) + (f" and {len(outlets) - 3} more" if len(outlets) > 3 else "")
    verb = "is" if len(outlets) == 1 else "are"
    return f"{names} {verb} {'no longer ' if is_over else ''}{words}"


def _link(page: str) -> str:
    from airflow.sdk.configuration import conf

    base: str = conf.get("api", "base_url", fallback="") or "http://localhost:8080"
    return f"{base.rstrip('/')}{PAGES}/{page}"


def _safe(error: Exception) -> str:
    """What went wrong. The error's text may contain the URL of the webhook, which is often a secret."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"HTTP {status}" if status else type(error).__name__


class AlertNotifier(BaseNotifier):
    """Send an alert when a DAG run fails: one message per run, not one per task."""

    template_fields: Sequence[str] = ()

    def notify(self, context: Any) -> None:
        """Send the name of the failed run and where to find its log."""
        run = context.get("dag_run")
        run_id = getattr(run, "run_id", "(unknown)")
        dag_id = getattr(run, "dag_id", context.get("dag") and context["dag"].dag_id)
        send_alerts(f"{dag_id} failed", [f"{dag_id}: run {run_id} failed. See the log of its last task."])


def _connection() -> Any:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Connection.get(CONNECTION)
    except AirflowNotFoundException:
        return None


def _send(connection: Any, subject: str, lines: Sequence[str], link: str) -> None:
    if connection.conn_type == "smtp":
        _send_email(connection, subject, lines, link)
    else:
        _post(connection, subject, lines, link)


def _post(connection: Any, subject: str, lines: Sequence[str], link: str) -> None:
    import httpx

    scheme = connection.schema or "https"
    host = connection.host or ""
    url = host if "://" in host else f"{scheme}://{host}" + (f":{connection.port}" if connection.port else "")
    headers = {}
    if connection.conn_type == "slackwebhook":
        url = f"{url.rstrip('/')}/{(connection.password or '').lstrip('/')}"
    else:
        url += connection.extra_dejson.get("path", "")
        headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
    body: dict[str, Any] = {"text": "\n".join([f"Pressmark: {subject}", *lines, link])}
    if connection.conn_type != "slackwebhook":
        body |= {"subject": subject, "alerts": list(lines), "link": link}
    httpx.post(url, json=body, headers=headers, timeout=_TIMEOUT).raise_for_status()


def _send_email(connection: Any, subject: str, lines: Sequence[str], link: str) -> None:
    extra = connection.extra_dejson
    message = EmailMessage()
    message["Subject"] = f"Pressmark: {subject}"
    message["From"] = extra.get("from", connection.login or "pressmark@localhost")
    message["To"] = extra["to"]
    message.set_content("\n".join([*lines, "", link]))
    with smtplib.SMTP(connection.host, connection.port or 25, timeout=_TIMEOUT) as server:
        if extra.get("starttls"):
            server.starttls()
        if connection.login and connection.password:
            server.login(connection.login, connection.password)
        server.send_message(message)


if __name__ == "__main__":  # run by `pressmark test-alert`, with Airflow's environment
    import sys

    from pressmark.errors import PressmarkError

    try:
        print(send_test_alert())
    except PressmarkError as problem:
        sys.exit(f"pressmark: {problem}")
