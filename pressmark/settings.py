"""Settings of the installation, taken from the environment.

Settings of a single outlet are in its file under `outlets/`.

    PRESSMARK_HOME           state folder (default: .pressmark in the project folder, or in ~ if installed as a package)
    PRESSMARK_OUTLETS        folder of outlet files (default: outlets in the project folder, or of the package)
    PRESSMARK_DATABASE_URL   URL of an external Postgres server (default: the embedded server)
    PRESSMARK_ROLE_PREFIX    prefix of the roles' names on an external server (default: pressmark)
    PRESSMARK_ARCHIVE        folder or fsspec URL of the WARC archive (default: HOME/archive)
    PRESSMARK_RESOLVE        host=ip:port,...: plain-http URLs of exactly these hosts connect there
    PRESSMARK_CONTACT        URL or email address for publishers; sent in the User-Agent
    PRESSMARK_WORKERS        number of extraction processes (default: one per core)
    PRESSMARK_MIN_FREE_MB    free disk space that a crawl needs to start (default: 256)
    PRESSMARK_TDM_BASIS      research or licensed: record TDM reservations instead of obeying them
    PRESSMARK_CONTROL_URL    URL that always responds; if it doesn't, our own network is down
    PRESSMARK_HEARTBEAT_URL  URL of a watchdog, requested after each run of a tier ({tier} is replaced)
    PRESSMARK_METRICS_TOKEN  token that a Prometheus scraper sends to /pressmark/metrics
    PRESSMARK_ERASURE_KEY    key of the hashes that replace erased URLs (default: HOME/erasure.key)
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path

from pressmark import __version__
from pressmark.errors import ConfigError

PROJECT_ROOT = Path(__file__).resolve().parents[1]
"""The folder with the packages: that of the repository, or the site-packages of an installed wheel."""
IN_REPOSITORY = (PROJECT_ROOT / "sql" / "migrations").is_dir()
# A wheel has the folders of the repository that are no packages inside of the package (pyproject.toml).
_DATA = PROJECT_ROOT if IN_REPOSITORY else Path(str(files("pressmark"))) / "data"
SQL_ROOT = _DATA / "sql"


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one installation. Create them with `Settings.from_env()`."""

    home: Path
    outlets: Path
    archive: str
    database_url: str | None = None
    resolve: dict[str, tuple[str, int]] = field(default_factory=dict)
    contact: str | None = None
    workers: int = 1
    min_free_bytes: int = 256 * 2**20
    tdm_basis: str | None = None
    erasure_key: str | None = field(default=None, repr=False)
    control_url: str | None = None
    heartbeat_url: str | None = None
    metrics_token: str | None = field(default=None, repr=False)
    role_prefix: str = "pressmark"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment (or `env`).

        Raises ConfigError that names the variable and a valid value.
        """
        env = os.environ if env is None else env
        home = (
            Path(env.get("PRESSMARK_HOME") or (PROJECT_ROOT if IN_REPOSITORY else Path.home()) / ".pressmark")
            .expanduser()
            .absolute()
        )
        outlets = Path(env.get("PRESSMARK_OUTLETS") or _DATA / "outlets").expanduser().absolute()
        basis = env.get("PRESSMARK_TDM_BASIS") or None
        if basis not in (None, "research", "licensed"):
            raise ConfigError(f"PRESSMARK_TDM_BASIS is {basis!r}: set it to 'research' or 'licensed', or unset it.")
        return cls(
            home=home,
            outlets=outlets,
            archive=_archive(env.get("PRESSMARK_ARCHIVE"), home),
            database_url=env.get("PRESSMARK_DATABASE_URL") or None,
            resolve=parse_resolve(env.get("PRESSMARK_RESOLVE", "")),
            contact=env.get("PRESSMARK_CONTACT") or None,
            workers=_whole_number(env, "PRESSMARK_WORKERS", os.cpu_count() or 1, minimum=1),
            min_free_bytes=_whole_number(env, "PRESSMARK_MIN_FREE_MB", 256, minimum=0) * 2**20,
            tdm_basis=basis,
            erasure_key=env.get("PRESSMARK_ERASURE_KEY") or None,
            control_url=env.get("PRESSMARK_CONTROL_URL") or None,
            heartbeat_url=env.get("PRESSMARK_HEARTBEAT_URL") or None,
            metrics_token=env.get("PRESSMARK_METRICS_TOKEN") or None,
            role_prefix=_role_prefix(env),
        )

    @property
    def spool(self) -> Path:
        """Local folder of the open segments. Never shared between machines."""
        return self.home / "spool"

    @property
    def is_shared(self) -> bool:
        """Whether other machines may work on the same database or archive."""
        return self.database_url is not None or "://" in self.archive

    @property
    def logs(self) -> Path:
        """Folder of crawl and server logs."""
        return self.home / "logs"

    @property
    def user_agent(self) -> str:
        """The User-Agent header of every request."""
        contact = f"; {self.contact}" if self.contact else "; no contact set"
        return f"Pressmark/{__version__} (news archive crawler{contact})"


ROBOTS_TOKEN = "Pressmark"  # noqa: S105 - the product token of RFC 9309, not a password


def parse_resolve(text: str) -> dict[str, tuple[str, int]]:
    """Parse `host=ip:port,host=ip:port` into {host: (ip, port)}.

    Raises ConfigError that names the invalid entry.
    """
    table: dict[str, tuple[str, int]] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        host, _, target = entry.partition("=")
        address, _, port = target.rpartition(":")
        try:
            if not host:
                raise ValueError("no host")
            table[host.strip().lower()] = (str(ip_address(address.strip("[]"))), int(port))
        except ValueError as error:
            raise ConfigError(
                f"PRESSMARK_RESOLVE: {entry!r} is not host=ip:port (for example news.example=127.0.0.1:8080)."
            ) from error
    return table


def _role_prefix(env: Mapping[str, str]) -> str:
    """Return the prefix of the roles' names. The embedded server belongs to one installation and needs no other."""
    prefix = env.get("PRESSMARK_ROLE_PREFIX") or "pressmark"
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", prefix) or prefix.startswith("pg_"):
        raise ConfigError(
            f"PRESSMARK_ROLE_PREFIX is {prefix!r}: use lower-case letters, digits and '_', and do not begin with pg_."
        )
    return prefix if env.get("PRESSMARK_DATABASE_URL") else "pressmark"


def _archive(value: str | None, home: Path) -> str:
    """Return a URL unchanged and a folder as an absolute path, since processes differ in their working folder."""
    if not value:
        return str(home / "archive")
    return value if "://" in value else str(Path(value).expanduser().absolute())


def _whole_number(env: Mapping[str, str], name: str, default: int, minimum: int) -> int:
    raw = env.get(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        value = minimum - 1
    if value < minimum:
        raise ConfigError(f"{name} is {raw!r}: set it to a whole number of at least {minimum}.")
    return value
