"""`pressmark db grant-analyst`, `grant-runner`, `connect-info` and `listen`: who connects to the warehouse, and how."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from pressmark.cli.output import friendly, out, print_json
from pressmark.errors import ConfigError
from pressmark.settings import Settings
from pressmark.warehouse import roles
from pressmark.warehouse.connect_info import connect_info as read_connect_info
from pressmark.warehouse.connection import Warehouse
from pressmark.warehouse.migrations import ensure_ready

_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to stdout.")]
_Login = Annotated[str, typer.Argument(help="Login to create or to grant these rights.", show_default=False)]
_PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from stdin instead of prompting.")
]
_NoPassword = Annotated[bool, typer.Option("--no-password", help="Set no password, or keep the current one.")]


@friendly
def grant_analyst(
    name: _Login,
    comments: Annotated[bool, typer.Option("--comments", help="Allow reading reader comments too.")] = False,
    password_stdin: _PasswordStdin = False,
    no_password: _NoPassword = False,
) -> None:
    """Create a login that can only read mart.

    The login gets the analysts' statement timeout. The server receives only the
    SCRAM verifier of the password. Prints how to connect.

    Examples:

      pressmark db grant-analyst jane

      pressmark db grant-analyst jane --comments --password-stdin < password.txt
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    password = None if no_password else _read_password(password_stdin)
    roles.grant_reader(warehouse, name, "comments" if comments else "analyst", password)
    out.print(f"{name} can read mart{', including comments' if comments else ''}.\n")
    _print_connect_info(warehouse, name)


@friendly
def connect_info(
    user: Annotated[str | None, typer.Option(help="Login. Default: the analyst.", show_default=False)] = None,
    as_json: _Json = False,
) -> None:
    """Show how programs connect to the warehouse.

    Prints host, port and database, a connection string, the line for ~/.pgpass
    and the URL for SQLAlchemy. It does not know passwords.

    Examples:

      pressmark db connect-info --user jane

      pressmark db connect-info --json
    """
    warehouse = Warehouse(Settings.from_env())
    login = user or warehouse.role_name("analyst")
    if as_json:
        info = read_connect_info(warehouse, login)
        print_json({**asdict(info), "dsn": info.dsn, "pgpass": info.pgpass, "sqlalchemy_url": info.sqlalchemy_url})
        return
    _print_connect_info(warehouse, login)


def _print_connect_info(warehouse: Warehouse, user: str) -> None:
    info = read_connect_info(warehouse, user)
    rows = {
        "host": info.host, "port": info.port, "database": info.database, "user": info.user, "DSN": info.dsn,
        "~/.pgpass": info.pgpass, "SQLAlchemy": info.sqlalchemy_url,
    }  # fmt: skip
    for name, value in rows.items():
        if value:
            out.print(f"{name + ':':<12}{value}", soft_wrap=True, highlight=False, markup=False)
    if info.is_socket:
        out.print(
            "\nThis is a socket that only the owner of the server can open. `pressmark db listen 5433` lets other "
            "programs on this machine connect with a password."
        )


@friendly
def listen(
    port: Annotated[
        int | None, typer.Argument(min=1024, max=65535, help="Port of 127.0.0.1.", show_default=False)
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Listen on the socket only, as after the installation.")] = False,
) -> None:
    """Open a port of the embedded server.

    The server then listens on a port of 127.0.0.1 and asks for passwords. It
    never listens for other machines. It is restarted: running crawls and loads
    wait for it and continue.

    Examples:

      pressmark db listen 5433

      pressmark db listen --off
    """
    settings = Settings.from_env()
    server = Warehouse(settings).embedded
    if server is None:
        raise ConfigError("PRESSMARK_DATABASE_URL is set, and that server decides where it listens.")
    if (port is None) == (not off):
        raise ConfigError("Give either a port, such as 5433, or --off.")
    server.listen(port)
    if port is None:
        out.print("The embedded server listens on its socket only.")
        return
    out.print(
        f"The embedded server listens on 127.0.0.1:{port}. Logins need a password: `pressmark db grant-analyst NAME`."
    )


@friendly
def grant_runner(
    name: _Login,
    password_stdin: _PasswordStdin = False,
    no_password: _NoPassword = False,
) -> None:
    """Create a login that can run all crawls.

    It can also load, maintain and query, but not migrate, create logins or drop
    tables. Use it in the PRESSMARK_DATABASE_URL of the machines that crawl. Run
    the command as the user that ran `pressmark db migrate`.

    Example:

      pressmark db grant-runner crawler --password-stdin < password.txt
    """
    warehouse = Warehouse(Settings.from_env())
    ensure_ready(warehouse)
    roles.grant_runner(warehouse, name, None if no_password else _read_password(password_stdin))
    out.print(f"{name} can run crawls, loads and maintenance. Put it into PRESSMARK_DATABASE_URL.")


def _read_password(from_stdin: bool) -> str | None:
    """Return the password from stdin or a prompt, or None to set none. Raises ConfigError if nobody can be asked."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\n") or None
    if not sys.stdin.isatty():
        raise ConfigError("There is no terminal to ask for a password. Add --password-stdin or --no-password.")
    return typer.prompt("Password (empty for none)", hide_input=True, default="", confirmation_prompt=True) or None
