"""`pressmark outlet`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from pressmark.cli.outlet_add import add_outlet, check_live, live_outlets
from pressmark.cli.outlet_override import pause, resume, retire
from pressmark.cli.output import friendly, out, print_json, table
from pressmark.outlet import Outlet
from pressmark.registry import load_registry, read_outlet
from pressmark.settings import Settings

app = typer.Typer(help="Outlets: add, list, show, check, schema, pause, resume, retire.", no_args_is_help=True)
app.command("add")(add_outlet)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("retire")(retire)


@app.command("list")
@friendly
def list_outlets(as_json: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False) -> None:
    """All outlets; files that are wrong are named at the end.

    Example:

      pressmark outlet list
    """
    registry = load_registry(Settings.from_env().outlets)
    outlets = sorted(registry.outlets.values(), key=lambda outlet: outlet.id)
    if as_json:
        print_json([outlet.model_dump(mode="json") for outlet in outlets])
    else:
        made = table("outlet", "name", "country", "languages", "tier", "enabled", "endpoints")
        for outlet in outlets:
            methods = ", ".join(sorted({endpoint.method for endpoint in outlet.endpoints}))
            enabled = "yes" if outlet.enabled else f"no: {outlet.disabled_reason}"
            made.add_row(
                outlet.id,
                outlet.name,
                outlet.country or "-",
                ", ".join(outlet.languages),
                outlet.tier,
                enabled,
                methods,
            )
        out.print(made)
    for problem in registry.problems:
        print(f"pressmark: {problem}", file=sys.stderr)
    if registry.problems:
        raise typer.Exit(2)


@app.command("show")
@friendly
def show_outlet(outlet_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """One outlet with all its settings, those that its file leaves out included.

    Example:

      pressmark outlet show southfront
    """
    registry = load_registry(Settings.from_env().outlets)
    outlet = registry.get(outlet_id)
    out.print(f"# {registry.files[outlet_id]}")
    YAML().dump(outlet.model_dump(mode="json"), sys.stdout)


@app.command("check")
@friendly
def check_outlets(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE...]", help="Files; all of the folder where none is given.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Look at the sites too; ids will do. None named: all that are enabled.")
    ] = False,
) -> None:
    """Say what is wrong with outlet files: file, line, key and what to do. Exit code 2 where anything is.

    With --live the outlets' sites are looked at as `outlet add` does it, and what has changed is told: endpoints that
    fail or list nothing, new ones, articles that cannot be read, another language, robots.txt. Exit code 1 where
    anything has.

    Examples:

      pressmark outlet check

      pressmark outlet check outlets/southfront.yaml

      pressmark outlet check southfront --live
    """
    if live:
        raise typer.Exit(0 if check_live(live_outlets(files or [])) else 1)
    if files:
        read = [read_outlet(path) for path in files]
        problems = [problem for _, found in read for problem in found]
        good = sum(outlet is not None for outlet, _ in read)
    else:
        registry = load_registry(Settings.from_env().outlets)
        problems, good = registry.problems, len(registry.outlets)
    for problem in problems:
        print(problem, file=sys.stderr)
    out.print(f"{good} good, {len({problem.file for problem in problems})} with problems.")
    if problems:
        raise typer.Exit(2)


@app.command("schema")
@friendly
def outlet_schema() -> None:
    """The JSON Schema of an outlet's file, for editors; kept in docs/outlet.schema.json.

    Example:

      pressmark outlet schema > docs/outlet.schema.json
    """
    print(schema_text())


def schema_text() -> str:
    """The schema as it is printed."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Outlet.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False)
