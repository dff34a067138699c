"""`pressmark outlet`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from pressmark.cli.outlet_add import add_outlet, check_live, live_outlets
from pressmark.cli.outlet_boilerplate import boilerplate
from pressmark.cli.outlet_override import pause, resume, retire
from pressmark.cli.output import friendly, out, print_json, table
from pressmark.outlet import Outlet
from pressmark.outlet_files import read_outlet
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.text import plural

_HELP = """Manage outlets and their files.

Each outlet has one YAML file in the folder PRESSMARK_OUTLETS. See
docs/outlets.md.

Examples:

  pressmark outlet list

  pressmark outlet add https://www.example.com/
"""
app = typer.Typer(help=_HELP, no_args_is_help=True)
app.command("add")(add_outlet)
app.command("boilerplate")(boilerplate)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("retire")(retire)


@app.command("list")
@friendly
def list_outlets(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array to stdout.")] = False,
) -> None:
    """List all outlets.

    Problems in outlet files are printed at the end. Exits with code 2 if there
    are any.

    Examples:

      pressmark outlet list

      pressmark outlet list --json
    """
    registry = load_registry(Settings.from_env())
    outlets = sorted(registry.outlets.values(), key=lambda outlet: outlet.id)
    if as_json:
        print_json([outlet.model_dump(mode="json") for outlet in outlets])
    else:
        rows = table("outlet", "name", "country", "languages", "tier", "enabled", "endpoints")
        for outlet in outlets:
            methods = ", ".join(sorted({endpoint.method for endpoint in outlet.endpoints}))
            enabled = "yes" if outlet.enabled else f"no: {outlet.disabled_reason}"
            rows.add_row(
                outlet.id,
                outlet.name,
                outlet.country or "-",
                ", ".join(outlet.languages),
                outlet.tier,
                enabled,
                methods,
            )
        out.print(rows)
    for problem in registry.problems:
        print(f"pressmark: {problem}", file=sys.stderr)
    if registry.problems:
        raise typer.Exit(2)


@app.command("show")
@friendly
def show_outlet(outlet_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the outlet.")]) -> None:
    """Show all settings of an outlet.

    Prints YAML, including the defaults of settings that its file omits.

    Example:

      pressmark outlet show southfront
    """
    registry = load_registry(Settings.from_env())
    outlet = registry.get(outlet_id)
    out.print(f"# {registry.files[outlet_id]}")
    YAML().dump(outlet.model_dump(mode="json"), sys.stdout)


@app.command("check")
@friendly
def check_outlets(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="ID|FILE",
            help="Outlets to check, by id or file. Default: all files, with --live all enabled outlets.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Check the sites instead of the files.")] = False,
) -> None:
    """Check outlet files for errors.

    Prints file, line, key and a fix for each problem. Exits with code 2 if
    there are any.

    With --live, probes the sites as `pressmark outlet add` does and reports
    what has changed since the file was written: failing, empty or new
    endpoints, articles that cannot be extracted, another language, robots.txt.
    Exits with code 1 if anything has changed.

    Examples:

      pressmark outlet check

      pressmark outlet check southfront tagesschau

      pressmark outlet check outlets/southfront.yaml

      pressmark outlet check southfront --live
    """
    if live:
        raise typer.Exit(0 if check_live(live_outlets(files or [])) else 1)
    registry = load_registry(Settings.from_env())
    if files:
        results = [read_outlet(path if path.exists() else registry.path(str(path))) for path in files]
        problems = [problem for _, file_problems in results for problem in file_problems]
        valid = sum(outlet is not None for outlet, _ in results)
    else:
        problems, valid = registry.problems, len(registry.outlets)
    for problem in problems:
        print(problem, file=sys.stderr)
    invalid = len({problem.file for problem in problems})
    out.print(f"{plural(valid, 'valid file')}, {invalid} with problems.")
    if problems:
        raise typer.Exit(2)


@app.command("schema")
@friendly
def outlet_schema() -> None:
    """Print the JSON Schema of outlet files.

    Editors use it to validate and complete outlet files. The project's copy is
    docs/outlet.schema.json.

    Example:

      pressmark outlet schema > docs/outlet.schema.json
    """
    print(schema_text())


def schema_text() -> str:
    """Return the JSON Schema as `pressmark outlet schema` prints it."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Outlet.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False)
