"""`pressmark outlet boilerplate`: the lines that an outlet repeats around its texts."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Annotated

import typer

from pressmark.cli.output import fail, friendly, out, print_json, table
from pressmark.outlet_memory import memory_key
from pressmark.registry import load_registry
from pressmark.settings import Settings
from pressmark.text import plural
from pressmark.warehouse.connection import Warehouse, transaction
from pressmark.warehouse.migrations import ensure_ready
from pressmark.warehouse.outlet_memory import forget_line, learned_lines


@friendly
def boilerplate(
    outlet_id: Annotated[str, typer.Argument(metavar="ID", help="Id of the outlet.")],
    forget: Annotated[str | None, typer.Option("--forget", metavar="LINE", help="Forget this line.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array to stdout.")] = False,
) -> None:
    """List the lines that an outlet repeats.

    They stand above or below its texts. They were learned from its latest
    articles, and extraction removes them there. A line is learned from five articles with different headlines, and
    forgotten if no page has had it for 90 days. `pressmark reextract` applies
    them to earlier pages.

    Examples:

      pressmark outlet boilerplate southfront

      pressmark outlet boilerplate southfront --forget "Southfront Weekly"
    """
    settings = Settings.from_env()
    load_registry(settings).get(outlet_id)
    warehouse = Warehouse(settings)
    ensure_ready(warehouse)
    connection = warehouse.connect("maintainer" if forget else "loader", "pressmark outlet")
    with contextlib.closing(connection), transaction(connection) as cursor:
        if forget and not forget_line(cursor, outlet_id, memory_key(forget)):
            fail(f"{outlet_id} has no such line. `pressmark outlet boilerplate {outlet_id}` lists them.")
        lines = learned_lines(cursor, outlet_id)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    if not lines:
        out.print(f"No repeated lines are known for {outlet_id}. A line is learned if five articles have it.")
        return
    rows = table("line", "articles", "learned", "last seen")
    for line in lines:
        rows.add_row(line.line, str(line.articles), str(line.learned_on), str(line.last_seen_on))
    out.print(rows)
    out.print(f"{plural(len(lines), 'line')} of {outlet_id}")
