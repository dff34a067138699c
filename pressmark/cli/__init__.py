"""The command line: `pressmark --help`.

A command's module is imported only when that command runs. Importing all of them takes seconds.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Annotated, Any

import typer

from pressmark import __version__

_HELP = """Crawl news outlets, archive their articles, and query them in SQL.

Run `pressmark COMMAND --help` for the options of a command.

Examples:

  pressmark up

  pressmark crawl southfront

  pressmark psql -c "SELECT outlet, headline FROM mart.article"
"""
_PSQL = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
# Command: module and attribute, a function or the Typer app of a group. Listed in the order of --help.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "demo"),
    "newsstand": ("newsstand", "newsstand"),
    "up": ("service", "up"),
    "crawl": ("crawl", "crawl"),
    "backfill": ("backfill", "backfill"),
    "load": ("crawl", "load"),
    "cluster": ("crawl", "cluster"),
    "why": ("articles", "why"),
    "show": ("articles", "show"),
    "extract": ("extract", "extract"),
    "psql": ("database", "psql"),
    "export": ("warehouse", "export"),
    "snapshot": ("warehouse", "snapshot"),
    "remove": ("warehouse", "remove"),
    "reextract": ("reextract", "reextract"),
    "maintain": ("warehouse", "maintain"),
    "doctor": ("health", "doctor"),
    "mute": ("health", "mute"),
    "test-alert": ("service", "send_test_alert"),
    "status": ("database", "status"),
    "down": ("service", "down"),
    "db": ("database", "app"),
    "outlet": ("outlets", "app"),
}


def _print_version() -> None:
    typer.echo(f"pressmark {__version__}")


def _version_option(requested: bool) -> None:
    if requested:
        _print_version()
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version_option, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def build_app(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the command line with these commands."""
    app = typer.Typer(
        name="pressmark",
        help=_HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(help=_HELP)(_options)
    for name in names:
        module, attribute = COMMANDS[name]
        command: Any = getattr(import_module(f"pressmark.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name, context_settings=_PSQL if name == "psql" else None)(command)
    return app


def main() -> None:
    """Run the `pressmark` script."""
    first = sys.argv[1] if len(sys.argv) > 1 else None
    if first == "--version":  # answered without importing any command
        _print_version()
        return
    build_app([first] if first in COMMANDS else COMMANDS)(prog_name="pressmark")
