"""Match removals against URLs, authors and commenters. `erasure` reads and writes the rows.

Erased values are stored as keyed hashes (HMAC-SHA256). They are recognised if they appear again, but cannot be read
back, or guessed from the database alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from uuid import UUID

from pressmark.errors import ConfigError
from pressmark.settings import Settings
from pressmark.urls import URL_RULE, absolute, loose_uid

Target = Literal["url", "prefix", "outlet", "author", "commenter"]
Action = Literal["hide", "erase"]
ERASED = "erased:"  # prefix of the placeholder for an erased URL


@dataclass(frozen=True, slots=True)
class Removal:
    """A row of ops.removal.

    value: None if it was erased. value_key is then its keyed hash and length its number of characters.
    url_uid: set for the target `url` if the value is known. outlet: the outlet that the removal is limited to.
    url_rule: version of the URL rules when it was entered. parameters: those that identify the outlet's URLs, if its
    file names them.
    """

    removal_id: UUID
    target: Target
    action: Action
    value: str | None
    outlet: str | None = None
    url_uid: UUID | None = None
    value_key: bytes | None = None
    length: int | None = None
    url_rule: int = URL_RULE
    parameters: tuple[str, ...] | None = None
    secret: bytes = field(default=b"", repr=False)

    def concerns(self, outlet: str) -> bool:
        """Return whether the removal may cover data of this outlet."""
        if self.target == "outlet":
            return self.value == outlet
        return self.outlet is None or self.outlet == outlet

    def covers(self, url: str, url_uid: UUID) -> bool:
        """Return whether the removal covers this URL. The URL's outlet must be one that the removal concerns."""
        if self.target == "outlet":
            return True
        if self.target == "url":
            uids = (url_uid, *self._earlier_uids(url))
            if self.value is not None:
                return url == self.value or any(uid in (self.url_uid, *self._earlier_uids(self.value)) for uid in uids)
            return any(self._matches(uid.hex) for uid in uids)
        if self.target == "prefix":
            if self.value is not None:
                return url.startswith(self.value)
            return self.length is not None and len(url) >= self.length and self._matches(url[: self.length])
        return False

    def names(self, person: str | None) -> bool:
        """Return whether the removal names this author or commenter."""
        if self.target not in ("author", "commenter") or not person:
            return False
        folded = fold_person(person)
        return folded == fold_person(self.value) if self.value is not None else self._matches(folded)

    def _earlier_uids(self, url: str) -> tuple[UUID, ...]:
        """Return the identities of a URL under the rules by which this removal was entered, if they have changed."""
        if self.url_rule >= URL_RULE or self.outlet is None or not absolute(url):
            return ()
        return (loose_uid(self.outlet, url, self.parameters),)

    def _matches(self, text: str) -> bool:
        return self.value_key is not None and hmac.compare_digest(keyed(self.secret, self.target, text), self.value_key)


def keyed(secret: bytes, target: str, text: str) -> bytes:
    """Return the keyed hash of a removal's value."""
    return hmac.new(secret, f"{target}\0{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def masked_uid(secret: bytes, url_uid: UUID) -> UUID:
    """Return the replacement for the url_uid of an erased URL. It is unique, so the ledger still adds up."""
    return UUID(bytes=keyed(secret, "uid", url_uid.hex)[:16])


def masked(removals: Sequence[Removal], url: str, uid: UUID) -> tuple[str, UUID] | None:
    """Return the replacement (URL, url_uid) if a removal has erased this URL, else None."""
    for removal in removals:
        if removal.action == "erase" and removal.covers(url, uid):
            mask = masked_uid(removal.secret, uid) if removal.secret else uid
            return f"{ERASED}{mask}", mask
    return None


def fold_person(name: str) -> str:
    """Normalise a name for comparison: NFKC, case and white space folded."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def erasure_secret(settings: Settings, make: bool = False) -> bytes:
    """Return the key of the hashes: PRESSMARK_ERASURE_KEY, else the content of HOME/erasure.key.

    make: create a missing file. Only for the first erasure, since a new key doesn't match earlier hashes.
    All machines of an installation need the same key, so the file is only created if the database and the archive are
    on this machine. Raises ConfigError if the key is missing or too short.
    """
    path = settings.home / "erasure.key"
    if settings.erasure_key:
        if len(settings.erasure_key) < 32:
            raise ConfigError(
                "PRESSMARK_ERASURE_KEY is too short. Use at least 32 random characters and never change them."
            )
        with contextlib.suppress(OSError):
            if path.read_bytes().strip() != settings.erasure_key.encode():
                raise ConfigError(
                    f"{path} has another key than PRESSMARK_ERASURE_KEY. Set the variable to the content of the file: "
                    "earlier erasures used it."
                )
        return settings.erasure_key.encode()
    if make and settings.is_shared and not path.exists():
        raise ConfigError(
            "An erasure needs a key that all machines of this installation share. Set PRESSMARK_ERASURE_KEY to the "
            f"same value on all of them and never change it, for example {secrets.token_urlsafe(48)}"
        )
    try:
        return _read_or_create(path) if make else path.read_bytes().strip()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} is missing. Without it, erased values cannot be recognised. Set PRESSMARK_ERASURE_KEY to the key "
            "of the machine that ran the erasure, or copy the file from there or from a backup."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read or created ({error.strerror}). Fix its permissions or set PRESSMARK_ERASURE_KEY."
        ) from error


def check_value(secret: bytes) -> bytes:
    """Return a hash by which machines compare their keys. It reveals nothing about the key."""
    return keyed(secret, "check", "pressmark erasure key")


def _read_or_create(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(fresh, path)  # fails if another process was first
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes().strip()
