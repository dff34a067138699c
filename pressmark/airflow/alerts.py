"""Telling people: into the log, and where a connection `pressmark_alerts` exists, by webhook or e-mail.

- type `http`: a POST with `{"text": ..., "alerts": [...]}` to the connection's address (Slack, Mattermost and the like
  take it as it is); the password, where there is one, is sent as a bearer token;
- type `smtp`: a mail to the addresses of the extra field `to`, from its `from`.

What cannot be told is logged and told again with the next alerts; it fails no task.
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
_SECONDS = 10
_SUBJECTS = {"internal_failure": "our side", "disk": "disk"}

logger = logging.getLogger(__name__)


def send_alerts(subject: str, lines: Sequence[str]) -> bool:
    """Tell these lines; False where they could not be sent. Nothing is sent for none."""
    if not lines:
        return True
    for line in lines:
        logger.warning("ALERT %s", line)
    try:
        connection = _connection()
        if connection is None:
            return True
        if connection.conn_type == "smtp":
            _mail(connection, subject, lines)
        else:
            _post(connection, subject, lines)
    except Exception as error:
        # Its words may hold the address, which is a secret of many a webhook.
        status = getattr(getattr(error, "response", None), "status_code", None)
        reason = f"HTTP {status}" if status else type(error).__name__
        logger.error("the alerts could not be sent by the connection %s: %s", CONNECTION, reason)
        return False
    return True


def send_open_alerts(warehouse: Warehouse) -> None:
    """Tell every open alert of which nobody was told and that no silence covers."""
    from pressmark.health.monitor import Alert, deliver_alerts

    def told(alerts: Sequence[Alert]) -> bool:
        subjects = sorted({_SUBJECTS.get(alert.cause, "outlets") for alert in alerts})
        return send_alerts(", ".join(subjects), [alert.message for alert in alerts])

    deliver_alerts(warehouse, told)


class AlertNotifier(BaseNotifier):
    """A DAG's failure, told like every other alert: one message a run, not one a task."""

    template_fields: Sequence[str] = ()

    def notify(self, context: Any) -> None:
        """Tell that a run failed and where its log is."""
        run = context.get("dag_run")
        name = getattr(run, "run_id", "a run")
        dag_id = getattr(run, "dag_id", context.get("dag") and context["dag"].dag_id)
        send_alerts(f"{dag_id} failed", [f"{dag_id}: {name} failed. The log of its last task says why."])


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
    httpx.post(url, json=body, headers=headers, timeout=_SECONDS).raise_for_status()


def _mail(connection: Any, subject: str, lines: Sequence[str]) -> None:
    extra = connection.extra_dejson
    message = EmailMessage()
    message["Subject"] = f"Pressmark: {subject}"
    message["From"] = extra.get("from", connection.login or "pressmark@localhost")
    message["To"] = extra["to"]
    message.set_content("\n".join(lines))
    with smtplib.SMTP(connection.host, connection.port or 25, timeout=_SECONDS) as server:
        if extra.get("starttls"):
            server.starttls()
        if connection.login and connection.password:
            server.login(connection.login, connection.password)
        server.send_message(message)
