"""How other programs connect to the warehouse: host, port, database, and the same in the forms that they ask for."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from psycopg2.extensions import make_dsn, parse_dsn

from pressmark.warehouse.connection import DATABASE, Warehouse

PASSWORD = "PASSWORD"  # noqa: S105 - stands for the password in what is printed


@dataclass(frozen=True, slots=True)
class ConnectInfo:
    """Where the warehouse is for one login. host: an address or name, or the folder of a socket."""

    host: str
    port: str
    database: str
    user: str

    @property
    def is_socket(self) -> bool:
        """Whether the warehouse can only be reached through a socket on this machine, without a password."""
        return self.host.startswith("/")

    @property
    def dsn(self) -> str:
        """The libpq connection string, without the password."""
        return make_dsn(host=self.host, port=self.port, dbname=self.database, user=self.user)

    @property
    def pgpass(self) -> str | None:
        """The line for ~/.pgpass, with PASSWORD in place of the password. None for a socket."""
        if self.is_socket:
            return None
        fields = (self.host, self.port, self.database, self.user, PASSWORD)
        return ":".join(field.replace("\\", "\\\\").replace(":", "\\:") for field in fields)

    @property
    def sqlalchemy_url(self) -> str:
        """The URL for SQLAlchemy, pandas, polars and Superset, with PASSWORD in place of the password."""
        if self.is_socket:
            return (
                f"postgresql+psycopg2://{self.user}@/{self.database}?host={quote(self.host, safe='')}&port={self.port}"
            )
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql+psycopg2://{self.user}:{PASSWORD}@{host}:{self.port}/{self.database}"


def connect_info(warehouse: Warehouse, user: str) -> ConnectInfo:
    """Return how a login connects. Of several hosts of PRESSMARK_DATABASE_URL, the first one is used."""
    server = warehouse.embedded
    if server is not None:
        # Pressmark's own roles have no password, so they only log in through the socket.
        if server.port is not None and not user.startswith(f"{warehouse.settings.role_prefix}_"):
            return ConnectInfo("127.0.0.1", str(server.port), DATABASE, user)
        return ConnectInfo(str(parse_dsn(server.dsn(user, DATABASE))["host"]), "5432", DATABASE, user)
    parameters = warehouse.parameters
    host, port = (parameters.get(name, default).split(",")[0] for name, default in (("host", ""), ("port", "")))
    login = parameters.get("user", "")
    return ConnectInfo(host or "localhost", port or "5432", parameters.get("dbname") or login, user)
