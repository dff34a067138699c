"""Output shared by all commands: consoles, short error messages, JSON, tables."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from pressmark.errors import PressmarkError
from pressmark.logs import redact

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_PIPE_WIDTH = 200  # columns, if the output is not a terminal
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else _PIPE_WIDTH)


def fail(message: str, exit_code: int = 1) -> NoReturn:
    """Print an error to stderr and exit."""
    print(f"pressmark: {redact(message)}", file=sys.stderr)
    raise typer.Exit(exit_code)


def friendly(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Decorate a command: a PressmarkError prints its message without a traceback and exits with its exit code."""

    @functools.wraps(command)
    def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return command(*args, **kwargs)
        except PressmarkError as error:
            fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            fail("interrupted", 130)
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(0) from None

    return run


def print_json(value: Any) -> None:
    """Print one JSON value to stdout."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def table(*columns: str) -> Table:
    """Return a plain table. A column name with a leading `#` is right-aligned and loses the `#`."""
    plain_table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        plain_table.add_column(
            column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold"
        )
    return plain_table
