"""The client program of a backup: the one of the server's version, else the newest that is not older."""

from __future__ import annotations

from pathlib import Path

import pytest

from pressmark.errors import ConfigError
from pressmark.warehouse import backup


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with pg_dump of 15 and 17, and a wheel with that of 18."""
    for folder, version in (("old", "15.18 (Debian 15.18-0+deb12u1)"), ("new", "17.2"), ("wheel", "18.4")):
        (tmp_path / folder).mkdir()
        program = tmp_path / folder / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/old:{tmp_path}/missing:{tmp_path}/new")
    monkeypatch.setattr(backup, "wheel_binaries", lambda: tmp_path / "wheel")
    monkeypatch.setattr(backup, "DEBIAN_CLIENTS", tmp_path / "debian")
    return tmp_path


@pytest.mark.parametrize(("server", "folder"), [(15, "old"), (16, "wheel"), (17, "new"), (18, "wheel")])
def test_client_matches_the_server(clients: Path, server: int, folder: str) -> None:
    assert backup.find_client("pg_dump", server) == str(clients / folder / "pg_dump")


def test_older_clients_are_refused_with_the_package_to_install(clients: Path) -> None:
    with pytest.raises(ConfigError, match=r"PostgreSQL 19 or newer is needed \(found: 15, 17, 18\).*client-19"):
        backup.find_client("pg_dump", 19)
