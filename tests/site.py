"""A small web site for tests: real HTTP on loopback, with virtual hosts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Answer:
    """A response. The server waits `seconds` before the response and `drip` seconds after each byte of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "text/html; charset=utf-8"
    seconds: float = 0.0
    drip: float = 0.0
    framed: bool = True  # False: no Content-Length; the end of the connection is the end of the body


class WebSite:
    """Serves `answers` by (host, path) and 404 for all others. robots.txt allows everything by default."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], Answer | Callable[[], Answer]] = {}
        self.log: list[tuple[str, str, float, float]] = []  # host, path, begin, end
        self.requests: list[dict[str, Any]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                begin = time.monotonic()
                host = (self.headers.get("Host") or "").partition(":")[0]
                site.requests.append({"host": host, "path": self.path, "headers": dict(self.headers)})
                answer = site.answers.get((host, self.path))
                if answer is None and self.path == "/robots.txt":
                    answer = Answer(b"User-agent: *\nDisallow:\n", content_type="text/plain")
                response = answer() if callable(answer) else answer or Answer(b"<html>no such page</html>", 404)
                if response.seconds:
                    time.sleep(response.seconds)
                try:
                    self.send_response(response.status)
                    self.send_header("Content-Type", response.content_type)
                    if response.framed:
                        self.send_header("Content-Length", str(len(response.body)))
                    else:
                        self.close_connection = True
                    for name, value in response.headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    if response.drip:
                        for byte in response.body:
                            self.wfile.write(bytes([byte]))
                            time.sleep(response.drip)
                    else:
                        self.wfile.write(response.body)
                except OSError:
                    self.close_connection = True
                site.log.append((host, self.path, begin, time.monotonic()))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def resolve(self, *hosts: str) -> str:
        return ",".join(f"{host}=127.0.0.1:{self.port}" for host in hosts)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def feed(*entries: tuple[str, str] | tuple[str, str, str]) -> Answer:
    """Return an RSS feed with entries of (URL, title[, RFC 822 date])."""
    items = "".join(
        f"<item><title>{e[1]}</title><link>{e[0]}</link>{f'<pubDate>{e[2]}</pubDate>' if len(e) > 2 else ''}</item>"
        for e in entries
    )
    text = f'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>{items}</channel></rss>'
    return Answer(text.encode(), content_type="application/rss+xml")


def article(title: str, *paragraphs: str, head: str = "") -> Answer:
    """Return an article page with a headline and paragraphs."""
    text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f"<body><article><h1>{title}</h1>{text}</article></body></html>"
    )
    return Answer(page.encode())


PROSE = (
    "The council of the harbour town met for three hours on Thursday and put off its decision about the bridge.",
    "Residents who had waited outside said that they would come back next week with a longer petition.",
)
