"""The command line: `pressmark --help`.

A command's module is imported when that command is called: all of them together take seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from pressmark import __version__

_PSQL = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
# Name, module, function; or Typer app for a group of commands. In the order of --help.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "demo"),
    "up": ("service", "up"),
    "crawl": ("crawl", "crawl"),
    "backfill": ("backfill", "backfill"),
    "load": ("crawl", "load"),
    "cluster": ("crawl", "cluster"),
    "why": ("articles", "why"),
    "show": ("articles", "show"),
    "psql": ("database", "psql"),
    "export": ("warehouse", "export"),
    "snapshot": ("warehouse", "snapshot"),
    "remove": ("warehouse", "remove"),
    "reextract": ("reextract", "reextract"),
    "maintain": ("warehouse", "maintain"),
    "doctor": ("health", "doctor"),
    "mute": ("health", "mute"),
    "status": ("database", "status"),
    "down": ("service", "down"),
    "db": ("database", "app"),
    "outlet": ("outlets", "app"),
}


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pressmark {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Crawl news outlets, keep their articles with where they came from, answer in SQL."""


def build_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with these commands."""
    app = typer.Typer(
        name="pressmark",
        help="Crawl news outlets, keep their articles with where they came from, answer in SQL.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for name in names:
        module, attribute = COMMANDS[name]
        found: Any = getattr(import_module(f"pressmark.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, context_settings=_PSQL if name == "psql" else None)(found)
    return app


def main() -> None:
    """Entry point of the `pressmark` script."""
    if sys.argv[1:2] == ["--version"]:
        _print_version(True)
    wanted = next((word for word in sys.argv[1:2] if word in COMMANDS), None)
    build_app([wanted] if wanted else COMMANDS)()
