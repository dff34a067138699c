"""Archive files in an object store, through fsspec. S3 and compatible stores need the extra `s3`.

An object appears complete or not at all. Requests that fail because the store cannot be reached are repeated for about
a minute, like those to the database. Each has a time limit, because botocore has none for a server that accepts a
connection and never answers an upload.
"""

from __future__ import annotations

import errno
import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pressmark.archive.local import disk_error, write_pieces
from pressmark.errors import ArchiveError, ArchiveUnavailable

Result = TypeVar("Result")
_RETRY_DELAYS = (1, 2, 5, 10, 20, 30)  # seconds
_PATIENCE = 75.0  # seconds after which a request that fails is not repeated any more
_REQUEST_SECONDS = 30.0  # for a small request
_BYTES_PER_SECOND = 500_000  # that a transfer must reach
_ANY_FILE = 2**30  # bytes; joined files have up to 1 GB
_OPTIONS = {
    "s3": {
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 30, "retries": {"max_attempts": 1}},
        "use_listings_cache": False,  # other machines add files
    }
}
# Errors of botocore by their names, so that other stores work without it. Repeating such a request does not help.
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError")
_PERMANENT = (*_NO_CREDENTIALS, "ParamValidationError", "InvalidConfigError", "ProfileNotFound", "NoRegionError")

logger = logging.getLogger(__name__)


class RemoteFiles:
    """The objects below a URL such as `s3://bucket/prefix`, by their path relative to it. Like `LocalFiles`.

    All methods raise ArchiveError, or ArchiveUnavailable if the store cannot be reached for more than a minute.
    """

    def __init__(self, url: str) -> None:
        """Raises ArchiveError if there is no such store."""
        import fsspec

        self.url = url.rstrip("/")
        protocol = url.partition("://")[0]
        try:
            self._fs, base = fsspec.core.url_to_fs(url, **_OPTIONS.get(protocol, {}))
        except ImportError as error:
            extra = "`pip install 'pressmark[s3]'`" if protocol == "s3" else f"its fsspec package ({error})"
            raise ArchiveError(f"PRESSMARK_ARCHIVE={url} needs a package that is not installed: {extra}.") from error
        except ValueError as error:
            raise ArchiveError(f"PRESSMARK_ARCHIVE={url!r} cannot be opened: {error}") from error
        if protocol == "s3":
            self._fs.retries = 1  # they are repeated here
        self._base = base.rstrip("/")

    def put(self, source: Path, name: str) -> None:
        """Move a finished local file here. `source` is kept if this fails."""
        try:
            size = source.stat().st_size
            self._call(name, "written", lambda path: self._fs.put_file(str(source), path), size)
            source.unlink()
        except OSError as error:
            raise disk_error(error, source) from error

    def read(self, name: str, start: int | None = None, end: int | None = None) -> bytes:
        """Return the bytes of an object, from `start` to `end` if they are given."""
        size = _ANY_FILE if start is None or end is None else end - start
        data: bytes = self._call(name, "read", lambda path: self._fs.cat_file(path, start=start, end=end), size)
        return data

    def write(self, name: str, content: bytes) -> None:
        """Create or replace an object."""
        self._call(name, "written", lambda path: self._fs.pipe_file(path, content), len(content))

    def patch(self, name: str, pieces: Sequence[tuple[int, bytes]]) -> None:
        """Overwrite bytes of an object, in one step. pieces: (offset, bytes). Takes a copy on local disk."""
        try:
            with tempfile.NamedTemporaryFile(prefix="pressmark-") as copy:
                self._call(name, "read", lambda path: self._fs.get_file(path, copy.name), _ANY_FILE)
                write_pieces(Path(copy.name), pieces)
                size = Path(copy.name).stat().st_size
                self._call(name, "written", lambda path: self._fs.put_file(copy.name, path), size)
        except OSError as error:
            raise disk_error(error, tempfile.gettempdir()) from error

    def delete(self, name: str) -> None:
        """Delete an object if it exists."""
        self._call(name, "deleted", lambda path: self._fs.rm_file(path), missing=None)

    def size(self, name: str) -> int | None:
        """Return the size of an object in bytes, or None if it doesn't exist."""
        size: int | None = self._call(name, "read", lambda path: self._fs.size(path), missing=None)
        return size

    def find(self, prefix: str = "") -> Iterator[str]:
        """Yield the names of all objects below a prefix."""
        yield from self._list(prefix, lambda path: self._fs.find(path))

    def glob(self, pattern: str) -> Iterator[str]:
        """Yield the names of the objects that match a pattern."""
        yield from self._list(pattern, lambda path: self._fs.glob(path))

    def keeps_versions(self) -> bool:
        """Return whether deleted and overwritten objects remain readable: an S3 bucket with versions or object lock.

        False if that cannot be asked, for example without the right s3:GetBucketVersioning.
        """
        if not hasattr(self._fs, "call_s3"):
            return False
        try:
            answer: dict[str, Any] = self._call(
                "", "read", lambda _: self._fs.call_s3("get_bucket_versioning", Bucket=self._bucket)
            )
        except ArchiveError as error:  # the right to ask is not needed for anything else
            logger.warning("cannot tell whether the bucket keeps old versions: %s", error)
            return False
        return answer.get("Status") in ("Enabled", "Suspended")  # suspended: the versions from before are kept

    @property
    def _bucket(self) -> str:
        return str(self._base).partition("/")[0]

    def _list(self, name: str, work: Callable[[str], list[str]]) -> Iterator[str]:
        paths: list[str] = self._call(name, "listed", work, _ANY_FILE, missing=[])
        # fsspec lists nothing in a bucket that does not exist.
        if not paths and not self._call(name, "listed", lambda _: self._fs.exists(self._bucket)):
            raise ArchiveError(f"{self.url} cannot be listed: the bucket {self._bucket} does not exist")
        for path in paths:
            yield path[len(self._base) + 1 :]

    def _call(self, name: str, done: str, work: Callable[[str], Result], size: int = 0, **default: Any) -> Result:
        """Run `work` on a path, and repeat it while the store cannot be reached.

        size: bytes that are transferred. default: `missing` is returned if there is no such object.
        """
        where = f"{self.url}/{name}".rstrip("/")
        began = time.monotonic()
        for seconds in (*_RETRY_DELAYS, None):
            try:
                limit = _REQUEST_SECONDS + size / _BYTES_PER_SECOND
                return _within(limit, lambda: work(f"{self._base}/{name}".rstrip("/")))
            except FileNotFoundError as error:
                if default:
                    result: Result = default["missing"]
                    return result
                raise ArchiveError(f"{where} cannot be {done}: {self._absent(error)}") from error
            except PermissionError as error:
                raise ArchiveError(
                    f"{where} cannot be {done}: access denied ({_line(error)}). docs/scale.md lists the rights that "
                    "Pressmark needs."
                ) from error
            except Exception as error:
                if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                    raise  # of the local disk
                name_of_error = type(error).__name__
                if name_of_error in _NO_CREDENTIALS:
                    raise ArchiveError(
                        f"{where} cannot be {done}: no credentials. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                        "or give this machine a role."
                    ) from error
                if name_of_error in _PERMANENT or "InvalidRange" in str(error):
                    raise ArchiveError(f"{where} cannot be {done}: {_line(error)}") from error
                if seconds is None or time.monotonic() - began > _PATIENCE:
                    raise ArchiveUnavailable(
                        f"{where} cannot be {done}, the archive does not respond: {_line(error)}. Check the network "
                        "and AWS_ENDPOINT_URL."
                    ) from error
                logger.warning("The archive does not respond, retrying in %s s: %s", seconds, _line(error))
                time.sleep(seconds)
        raise AssertionError("unreachable")

    def _absent(self, error: Exception) -> str:
        return (
            f"the bucket {self._bucket} does not exist" if "bucket" in str(error).lower() else "there is no such object"
        )


def _within(seconds: float, work: Callable[[], Result]) -> Result:
    """Run `work` in a new thread. Raises TimeoutError after `seconds`; the thread is then left behind."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name="archive request", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no response within {seconds:.0f} s")
    return results[0]


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
