"""External errors give a short message with the next step and an exit code, without a traceback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pressmark.newsstand.server import Newsstand
from tests.conftest import Installation
from tests.site import PROSE, WebSite, article, feed


def check_error(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Check the exit code and that stderr has one to three lines, contains `words` and has no traceback."""
    assert done.returncode == code, done.stderr
    lines = [text for text in done.stderr.splitlines() if text]
    assert 1 <= len(lines) <= 3, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_invalid_outlet_file_is_reported_with_line_and_key(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("id: bad\nname: Bad\nhome: nowhere\n")
    installation.env = {"PRESSMARK_OUTLETS": str(tmp_path)}
    done = installation.run("crawl", "bad", check=False)
    assert done.returncode == 2 and f"{tmp_path}/bad.yaml:3: home: 'nowhere'" in done.stderr
    checked = installation.run("outlet", "check", check=False)
    assert checked.returncode == 2 and "add this key" in checked.stderr
    check_error(installation.run("crawl", "missing", check=False), 2, "No outlet 'missing'", "pressmark outlet list")
    installation.env = {"PRESSMARK_OUTLETS": "/nowhere"}
    check_error(
        installation.run("outlet", "list", check=False),
        2,
        "outlets folder /nowhere does not exist",
        "PRESSMARK_OUTLETS",
    )


def test_unreachable_host_is_named(installation: Installation, outlet_file: Callable[..., Path]) -> None:
    installation.env = {"PRESSMARK_OUTLETS": str(outlet_file("away", "no-such-host.invalid"))}
    check_error(
        installation.run("crawl", "away", check=False), 1, "away: ", "no-such-host.invalid", "could not be resolved"
    )
    installation.env["PRESSMARK_RESOLVE"] = "no-such-host.invalid=127.0.0.1:9"
    check_error(installation.run("crawl", "away", check=False), 1, "away: ", "refused")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://me:canary@127.0.0.1:9/news", "Check host, port, database, user and password"),
        ("not a url", "PRESSMARK_DATABASE_URL is not a Postgres URL"),
    ],
)
def test_wrong_database_url_is_reported_without_the_password(
    installation: Installation, newsstand: Newsstand, url: str, words: str
) -> None:
    for command in (["crawl", "tagesblick"], ["db", "status"], ["db", "fingerprint"], ["status"]):
        done = installation.run(*command, check=False, PRESSMARK_DATABASE_URL=url)
        assert done.returncode in (2, 3)
        check_error(done, done.returncode, words)
        assert "canary" not in done.stderr + done.stdout


def test_crawl_does_not_start_without_free_disk_space(installation: Installation, newsstand: Newsstand) -> None:
    check_error(
        installation.run("crawl", "tagesblick", check=False, PRESSMARK_MIN_FREE_MB="999999999"),
        4,
        "MB free at",
        "PRESSMARK_MIN_FREE_MB",
    )


def test_full_disk_interrupts_the_crawl_and_can_be_resumed(
    installation: Installation, serve: Callable[..., WebSite], tmp_path: Path
) -> None:
    """The archive is on a file system of 64 kB."""
    small_disk = tmp_path / "small_disk"
    small_disk.mkdir()
    if (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small_disk)], capture_output=True
        ).returncode
        != 0
    ):
        pytest.skip("mounting a tmpfs needs root")
    try:
        site = serve()
        paths = [f"/{n}" for n in range(6)]
        site.answers["test.example", "/feed"] = feed(*[(f"http://test.example{p}", "t") for p in paths])
        import random

        generator = random.Random(1)
        for path in paths:
            noise = "".join(generator.choices("abcdefghijklmnopqrstuvwxyz ", k=60_000))
            site.answers["test.example", path] = article(f"Story {path} of the day", *PROSE, noise)
        env = {"PRESSMARK_ARCHIVE": str(small_disk / "archive"), "PRESSMARK_MIN_FREE_MB": "0"}
        done = installation.run("crawl", "test", check=False, **env)
        assert done.returncode == 1 and "No space left" in done.stderr and "run the same command again" in done.stderr
        assert installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1") == [("interrupted", 6)]
        assert installation.query("SELECT finish_reason, ledger_ok FROM mart.crawl") == [("failed", True)]
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)
    # With free space, the same command archives and loads what was fetched. Nothing is fetched again.
    assert installation.outcomes("test") == {"known_not_due": 6}
    assert installation.query("SELECT count(*) FROM mart.article") == [(6,)]
    assert installation.query("SELECT outcome, count(*) FROM ops.candidate GROUP BY 1") == [("new", 6)]


def test_unwritable_home_is_reported(installation: Installation) -> None:
    done = installation.run("db", "migrate", check=False, PRESSMARK_HOME="/proc/nowhere")
    check_error(done, 3, "/proc/nowhere", "PRESSMARK_HOME")


def test_invalid_dates_and_urls_are_rejected(installation: Installation, newsstand: Newsstand) -> None:
    check_error(
        installation.run("crawl", "tagesblick", "--since", "soon", check=False), 2, "--since 'soon' is not a date"
    )
    check_error(
        installation.run("crawl", "tagesblick", "--until", "2026-01-01", check=False), 2, "--until needs --since"
    )
    check_error(
        installation.run("crawl", "tagesblick", "--since", "2026-02-01", "--until", "2026-01-01", check=False),
        2,
        "--since before --until",
    )
    check_error(installation.run("why", "notaurl", check=False), 2, "is not an http(s) URL")
