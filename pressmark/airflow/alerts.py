"""Send alerts to the log and, if Airflow has a connection `pressmark_alerts`, to a webhook or by email.

- Connection type `http`: POST `{"text": ..., "subject": ..., "alerts": [...]}` to the connection's URL. Slack,
  Mattermost and similar services accept this. A password in the connection is sent as a bearer token.
- Connection type `smtp`: email to the addresses in the extra field `to`, from the address in `from`.

A failure to send is logged and fails no task. Open alerts that could not be sent are sent again with the next ones.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from pressmark.warehouse.connection import Warehouse

CONNECTION = "pressmark_alerts"
_TIMEOUT = 10  # seconds
_SUBJECTS = {"internal_failure": "internal failure", "disk": "disk"}  # by cause; other causes concern outlets

logger = logging.getLogger(__name__)


def send_alerts(subject: str, lines: Sequence[str]) -> bool:
    """Log these alerts and send them as one message. Return False if sending failed.

    Does nothing if there are no lines. Without a connection, alerts are only logged.
    """
    if not lines:
        return True
    for line in lines:
        logger.warning("ALERT %s", line)
    try:
        connection = _connection()
        if connection is None:
            return True
        if connection.conn_type == "smtp":
            _send_email(connection, subject, lines)
        else:
            _post(connection, subject, lines)
    except Exception as error:
        # The error's text may contain the webhook's URL, which is often a secret.
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"HTTP {status}" if status else type(error).__name__
        logger.error("Cannot send alerts through the connection %s: %s. Check its settings.", CONNECTION, reason)
        return False
    return True


def send_open_alerts(warehouse: Warehouse) -> None:
    """Send all open alerts that are neither sent nor muted."""
    from pressmark.health.monitor import Alert, deliver_alerts

    def send(alerts: Sequence[Alert]) -> bool:
        subjects = sorted({_SUBJECTS.get(alert.cause, "outlets") for alert in alerts})
        return send_alerts(", ".join(subjects), [alert.message for alert in alerts])

    deliver_alerts(warehouse, send)


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


def _post(connection: Any, subject: str, lines: Sequence[str]) -> None:
    import httpx

    scheme = connection.schema or "https"
    host = connection.host or ""
    url = host if "://" in host else f"{scheme}://{host}" + (f":{connection.port}" if connection.port else "")
    url += connection.extra_dejson.get("path", "")
    headers = {"Authorization": f"Bearer {connection.password}"} if connection.password else {}
    body = {"text": "\n".join([subject, *lines]), "subject": subject, "alerts": list(lines)}
    httpx.post(url, json=body, headers=headers, timeout=_TIMEOUT).raise_for_status()


def _send_email(connection: Any, subject: str, lines: Sequence[str]) -> None:
    extra = connection.extra_dejson
    message = EmailMessage()
    message["Subject"] = f"Pressmark: {subject}"
    message["From"] = extra.get("from", connection.login or "pressmark@localhost")
    message["To"] = extra["to"]
    message.set_content("\n".join(lines))
    with smtplib.SMTP(connection.host, connection.port or 25, timeout=_TIMEOUT) as server:
        if extra.get("starttls"):
            server.starttls()
        if connection.login and connection.password:
            server.login(connection.login, connection.password)
        server.send_message(message)
