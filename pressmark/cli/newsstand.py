"""`pressmark newsstand`: serve the sample sites, and notice when their outlets are configured but not served."""

from __future__ import annotations

import contextlib
import shlex
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from pressmark.cli.output import friendly, out
from pressmark.errors import ConfigError
from pressmark.newsstand import OUTLETS
from pressmark.newsstand.model import DOMAIN, EDITIONS
from pressmark.newsstand.server import Newsstand
from pressmark.outlet import Outlet
from pressmark.settings import Settings

DEFAULT_PORT = 8484
ENVIRONMENT_FILE = "env.sh"


@friendly
def newsstand(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = DEFAULT_PORT,
    edition: Annotated[
        int, typer.Option(min=1, max=max(EDITIONS), help="Edition to serve; in 2 some articles have changed.")
    ] = 1,
) -> None:
    """Serve the sample news sites on this machine.

    Their outlets can be crawled while this runs: with the environment of the
    demo, or with the variables that it prints.

    Examples:

      pressmark newsstand

      pressmark newsstand --edition 2
    """
    settings = Settings.from_env()
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # before the threads of the server start: they inherit it
    with serving(settings.home / "newsstand" / "access.log", port, edition) as site:
        out.print(f"Serving the sample sites on 127.0.0.1:{site.port}, edition {edition}.")
        out.print("To crawl them in another shell:\n")
        out.print(f"  export PRESSMARK_OUTLETS={OUTLETS}")
        out.print(f"  export PRESSMARK_RESOLVE={site.resolve}\n")
        out.print("Press Ctrl-C to stop.")
        signal.sigwait(ends)


@contextlib.contextmanager
def serving(access_log: Path, port: int, edition: int) -> Iterator[Newsstand]:
    """Serve the newsstand on a port. Raises ConfigError if it is taken."""
    try:
        site = Newsstand(access_log, edition, port=port)
    except OSError as error:
        raise ConfigError(f"Port {port} is not available ({error.strerror}). Choose another with --port.") from error
    site.start()
    try:
        yield site
    finally:
        site.stop()


def write_environment(home: Path) -> Path:
    """Write a file that a shell can source to work on the demo: `pressmark` on PATH, its home, its sample sites."""
    resolve = Newsstand.resolve_value(DEFAULT_PORT)
    variables = {"PRESSMARK_HOME": str(home), "PRESSMARK_OUTLETS": str(OUTLETS), "PRESSMARK_RESOLVE": resolve}
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in variables.items()]
    path = home / ENVIRONMENT_FILE
    path.write_text(
        "# Source this file to work on the demo: . env.sh\n"
        f'export PATH={shlex.quote(str(Path(sys.prefix) / "bin"))}:"$PATH"\n' + "".join(lines),
        encoding="utf-8",
    )
    return path


def unserved(outlets: Iterable[Outlet], settings: Settings) -> list[str]:
    """The enabled outlets of the newsstand whose site does not answer."""
    hosts: dict[str, tuple[str, int] | None] = {}
    for outlet in outlets:
        if outlet.enabled and any(domain == DOMAIN or domain.endswith(f".{DOMAIN}") for domain in outlet.domains):
            hosts[outlet.id] = next((settings.resolve.get(domain) for domain in outlet.domains), None)
    return [outlet for outlet, target in hosts.items() if target is None or not _is_listening(target)]


def _is_listening(target: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(target, timeout=1):
            return True
    except OSError:
        return False
