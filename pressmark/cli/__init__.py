"""The command line: `pressmark --help`."""

from __future__ import annotations

from typing import Annotated

import typer

from pressmark import __version__
from pressmark.cli import articles, crawling, database, demo, outlets, service

app = typer.Typer(
    name="pressmark",
    help="Crawl news outlets, keep their articles with where they came from, answer in SQL.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pressmark {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Crawl news outlets, keep their articles with where they came from, answer in SQL."""


app.command("demo")(demo.demo)
app.command("up")(service.up)
app.command("crawl")(crawling.crawl)
app.command("load")(crawling.load)
app.command("cluster")(crawling.cluster)
app.command("why")(articles.why)
app.command("show")(articles.show)
app.command(
    "psql", context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": ["--help"]}
)(database.psql)
app.command("status")(database.status)
app.command("down")(service.down)
app.add_typer(database.app, name="db")
app.add_typer(outlets.app, name="outlet")


def main() -> None:
    """Entry point of the `pressmark` script."""
    app()
