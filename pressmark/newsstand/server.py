"""HTTP server of the newsstand on loopback. It selects the site by Host header and logs every request."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from pressmark.newsstand.model import EDITIONS, Document
from pressmark.newsstand.site_map import HOSTS, answer
from pressmark.newsstand.sites import FIRST_FOUR

_HOST_WITHOUT_ETAGS = FIRST_FOUR[0].host
_NOT_FOUND = Document("text/html", b"<html><body><h1>Not found</h1></body></html>", 404)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # many crawls of the tests connect at the same time


class Newsstand:
    """A server of the sample sites. `resolve` is the value for PRESSMARK_RESOLVE."""

    def __init__(
        self,
        access_log: Path,
        edition: int = 1,
        more: Mapping[tuple[str, str], Document] | None = None,
        port: int = 0,
    ) -> None:
        """Bind the port without serving yet.

        more: further documents by (host, path), served in every edition. port: 0 for a free port. Raises OSError if
        the port is in use.
        """
        self.access_log = access_log
        self.edition = edition
        self._more = more or {}
        access_log.parent.mkdir(parents=True, exist_ok=True)
        self._log_lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="newsstand", daemon=True)

    @property
    def port(self) -> int:
        """Port that the server listens on."""
        return int(self._server.server_address[1])

    @property
    def hosts(self) -> list[str]:
        """Hosts of all sites."""
        return list(dict.fromkeys([*HOSTS, *(host for host, _ in self._more)]))

    @property
    def resolve(self) -> str:
        """Value for PRESSMARK_RESOLVE: `host=ip:port,...` of all sites."""
        return self.resolve_value(self.port, self.hosts)

    @staticmethod
    def resolve_value(port: int, hosts: Iterable[str] = HOSTS) -> str:
        """Return `host=127.0.0.1:port,...` for a newsstand on this port."""
        return ",".join(f"{host}=127.0.0.1:{port}" for host in hosts)

    def advance(self) -> None:
        """Serve the next edition. Raises ValueError after the last one."""
        if self.edition + 1 not in EDITIONS:
            raise ValueError(f"there is no edition after {self.edition}")
        self.edition += 1

    def requests(self) -> list[dict[str, Any]]:
        """Return all requests so far, each with its edition, host, path, status, user_agent and time."""
        if not self.access_log.exists():
            return []
        with self._log_lock:
            return [json.loads(line) for line in self.access_log.read_text(encoding="utf-8").splitlines()]

    def start(self) -> None:
        """Start serving in a background thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        newsstand = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                host = (self.headers.get("Host") or "").partition(":")[0].lower()
                document = newsstand._more.get((host, self.path)) or answer(newsstand.edition, host, self.path)
                document = document or _NOT_FOUND
                status, body = HTTPStatus(document.status), document.body
                etag = (
                    f'"{hashlib.sha256(body).hexdigest()[:16]}"'
                    if status == HTTPStatus.OK and host != _HOST_WITHOUT_ETAGS
                    else None
                )
                if etag and self.headers.get("If-None-Match") == etag:
                    status, body = HTTPStatus.NOT_MODIFIED, b""
                newsstand._log_request(host, self.path, status, self.headers.get("User-Agent"))
                self.send_response(status)
                self.send_header("Content-Type", document.content_type)
                if etag:
                    self.send_header("ETag", etag)
                for name, value in document.headers:
                    self.send_header(name, value)
                if status != HTTPStatus.NOT_MODIFIED:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Do nothing: do_GET writes the access log."""

        return Handler

    def _log_request(self, host: str, path: str, status: int, user_agent: str | None) -> None:
        request = {
            "time": datetime.now(UTC).isoformat(),
            "edition": self.edition,
            "host": host,
            "path": path,
            "status": int(status),
            "user_agent": user_agent,
        }
        with self._log_lock, self.access_log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(request) + "\n")


@contextlib.contextmanager
def running(
    access_log: Path, edition: int = 1, more: Mapping[tuple[str, str], Document] | None = None
) -> Iterator[Newsstand]:
    """Run a newsstand within the context."""
    newsstand = Newsstand(access_log, edition, more)
    newsstand.start()
    try:
        yield newsstand
    finally:
        newsstand.stop()
