"""What all commands share: consoles, errors in one or two lines, dates as options."""

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

_WIDE = 200  # where no terminal says how wide: a pipe, a log
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else _WIDE)


def fail(message: str, exit_code: int = 1) -> NoReturn:
    """Say what is wrong and end."""
    print(f"pressmark: {redact(message)}", file=sys.stderr)
    raise typer.Exit(exit_code)


def friendly(command: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Errors that are meant for people come without a traceback, with their own exit code."""

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
    """One JSON object on stdout."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def table(*columns: str) -> Table:
    """A plain table; a column that begins with `#` is a number."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column.lstrip("#"), justify="right" if column.startswith("#") else "left", overflow="fold")
    return made
