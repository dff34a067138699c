"""Telling people: into the log, and where a connection `pressmark_alerts` exists, by webhook or e-mail.

- type `http`: a POST with `{"text": ..., "alerts": [...]}` to the connection's address (Slack, Mattermost and the like
  take it as it is); the password, where there is one, is sent as a bearer token;
- type `smtp`: a mail to the addresses of the extra field `to`, from its `from`.

What cannot be told is logged; it fails no task.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Any

from airflow.sdk import BaseNotifier

CONNECTION = "pressmark_alerts"
_SECONDS = 10

logger = logging.getLogger(__name__)


def tell(subject: str, lines: Sequence[str]) -> None:
    """Tell these lines. Nothing is sent for none."""
    if not lines:
        return
    for line in lines:
        logger.warning("ALERT %s", line)
    connection = _connection()
    if connection is None:
        return
    try:
        if connection.conn_type == "smtp":
            _mail(connection, subject, lines)
        else:
            _post(connection, subject, lines)
    except Exception as error:
        logger.error("the alerts could not be sent by the connection %s: %s", CONNECTION, error)


class AlertNotifier(BaseNotifier):
    """A DAG's failure, told like every other alert: one message a run, not one a task."""

    template_fields: Sequence[str] = ()

    def notify(self, context: Any) -> None:
        """Tell that a run failed and where its log is."""
        run = context.get("dag_run")
        name = getattr(run, "run_id", "a run")
        dag_id = getattr(run, "dag_id", context.get("dag") and context["dag"].dag_id)
        tell(f"{dag_id} failed", [f"{dag_id}: {name} failed. The log of its last task says why."])


def _connection() -> Any:
    from airflow.sdk import Connection

    try:
        return Connection.get(CONNECTION)
    except Exception:  # there is none; Airflow has several errors for that
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
