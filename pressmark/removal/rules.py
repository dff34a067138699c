"""What a removal covers: addresses, authors, commenters. Pure; the rows are read and written by `warehouse.removals`.

What is erased is kept as a keyed hash (HMAC-SHA256), so that it is recognised when it turns up again and cannot be
read back, or guessed by who has the database alone.
"""

from __future__ import annotations

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

Target = Literal["url", "prefix", "outlet", "author", "commenter"]
Action = Literal["hide", "erase"]
ERASED = "erased:"  # what stands in place of an erased address


@dataclass(frozen=True, slots=True)
class Removal:
    """A row of ops.removal.

    value: None where it was erased; value_key is then its keyed hash, length its number of characters.
    url_uid: of target `url`, where the value is known. outlet: the outlet it is limited to.
    """

    removal_id: UUID
    target: Target
    action: Action
    value: str | None
    outlet: str | None = None
    url_uid: UUID | None = None
    value_key: bytes | None = None
    length: int | None = None
    secret: bytes = field(default=b"", repr=False)

    def concerns(self, outlet: str) -> bool:
        """Whether it may cover something of this outlet."""
        if self.target == "outlet":
            return self.value == outlet
        return self.outlet is None or self.outlet == outlet

    def covers(self, url: str, url_uid: UUID) -> bool:
        """Whether it covers an address of an outlet that it concerns."""
        if self.target == "outlet":
            return True
        if self.target == "url":
            if self.value is not None:
                return url_uid == self.url_uid or url == self.value
            return self._is(url_uid.hex)
        if self.target == "prefix":
            if self.value is not None:
                return url.startswith(self.value)
            return self.length is not None and len(url) >= self.length and self._is(url[: self.length])
        return False

    def names(self, person: str | None) -> bool:
        """Whether it is about this author or commenter."""
        if self.target not in ("author", "commenter") or not person:
            return False
        folded = fold_person(person)
        return folded == fold_person(self.value) if self.value is not None else self._is(folded)

    def _is(self, text: str) -> bool:
        return self.value_key is not None and hmac.compare_digest(keyed(self.secret, self.target, text), self.value_key)


def keyed(secret: bytes, target: str, text: str) -> bytes:
    """The keyed hash of what a removal names."""
    return hmac.new(secret, f"{target}\0{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def masked_uid(secret: bytes, url_uid: UUID) -> UUID:
    """What stands in place of an erased address's identity: the ledger still adds up."""
    return UUID(bytes=keyed(secret, "uid", url_uid.hex)[:16])


def masked(removals: Sequence[Removal], url: str, uid: UUID) -> tuple[str, UUID] | None:
    """What is written in place of an address that a removal has erased; None for every other address."""
    for removal in removals:
        if removal.action == "erase" and removal.covers(url, uid):
            mask = masked_uid(removal.secret, uid) if removal.secret else uid
            return f"{ERASED}{mask}", mask
    return None


def fold_person(name: str) -> str:
    """A name as it is compared: compatibility forms, case and white space folded."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def erasure_secret(settings: Settings, make: bool = False) -> bytes:
    """The key of the hashes: PRESSMARK_ERASURE_KEY, else HOME/erasure.key.

    make: whether it may be made, at the first erasure: a new one would not recognise what was erased before.
    All machines of an installation need the same one. Raises ConfigError where it is not there, or too short.
    """
    if settings.erasure_key:
        if len(settings.erasure_key) < 32:
            raise ConfigError("PRESSMARK_ERASURE_KEY is too short: use 32 random characters or more, for good.")
        return settings.erasure_key.encode()
    path = settings.home / "erasure.key"
    try:
        return _read_or_make(path) if make else path.read_bytes().strip()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path} is not there, and what was erased is recognised by it alone. Copy it from the machine that "
            "erased or from the backup, or set PRESSMARK_ERASURE_KEY."
        ) from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read or made ({error.strerror}); set PRESSMARK_ERASURE_KEY.") from error


def _read_or_make(path: Path) -> bytes:
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(fresh, path)  # fails where another process was first
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return path.read_bytes().strip()
