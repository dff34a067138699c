"""Help texts and version of the command line."""

from __future__ import annotations

import re
import subprocess
import sys

import click
import pytest
import typer
from typer.testing import CliRunner

from pressmark import __version__
from pressmark.cli import COMMANDS, build_app

APP = build_app()
NOT_A_VERB = frozenset("A An The All Any Every One Only Its How What When Where Which Who Why".split())
SHORT_HELP_LENGTH = 45  # longer summaries are cut off in the generated reference

Path = tuple[str, ...]


def walk(command: click.Command, path: Path = ()) -> list[tuple[Path, click.Command]]:
    children = getattr(command, "commands", {})
    return [(path, command)] + [pair for name, child in children.items() for pair in walk(child, (*path, name))]


COMMAND_TREE = walk(typer.main.get_command(APP))
every_command = pytest.mark.parametrize(
    ("path", "command"), COMMAND_TREE, ids=[" ".join(path) or "pressmark" for path, _ in COMMAND_TREE]
)


@every_command
def test_help_starts_with_a_verb_and_has_an_example(path: Path, command: click.Command) -> None:
    result = CliRunner().invoke(APP, [*path, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert command.help is not None
    summary = command.help.split("\n\n")[0]
    verb = summary.split()[0]
    assert re.fullmatch(r"[A-Z][a-z-]+", verb) and verb not in NOT_A_VERB, summary
    assert summary.endswith(".") and summary in result.stdout
    assert not path or len(summary) <= SHORT_HELP_LENGTH, summary
    assert re.search(r"Examples?:", result.stdout) and " ".join(("pressmark", *path)) in result.stdout


@every_command
def test_every_argument_and_option_has_a_help_text(path: Path, command: click.Command) -> None:
    for parameter in command.params:
        text = getattr(parameter, "help", None) or ""
        assert re.fullmatch(r"[A-Z].*\.", text), (path, parameter.name, text)


def test_commands_are_listed_in_the_order_of_the_commands_table() -> None:
    assert [path[0] for path, _ in COMMAND_TREE if len(path) == 1] == list(COMMANDS)


def test_version_is_printed() -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "pressmark.cli", "--version"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, f"pressmark {__version__}\n", "")
    assert __version__ == "0.1.0"
    assert CliRunner().invoke(APP, ["--version"]).stdout == completed.stdout
