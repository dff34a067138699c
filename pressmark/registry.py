"""The outlet files of a folder. The file of an outlet has its id as its name, so one outlet needs only one file."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import os
import pickle
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pydantic

from pressmark import outlet as outlet_model
from pressmark import outlet_files
from pressmark.errors import ConfigError
from pressmark.outlet import TIER_INTERVALS, Outlet
from pressmark.outlet_files import ENDINGS, Problem, read_outlet
from pressmark.settings import Settings

_MIN_CACHED = 100  # files that were not in the cache, before it is written
_SETTLED_SECONDS = 2.0  # a file that was changed so recently may change again without a trace in its times
_Stamp = tuple[int, int, int, int]


@dataclass(slots=True)
class _Files:
    """All files of a folder. paths: by outlet id."""

    outlets: dict[str, Outlet] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class Registry:
    """The outlets of a folder. A file is read when it is needed: `get` reads one, `outlets` all."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """cache: file that keeps validated outlets, for folders with many of them."""
        self.folder = folder
        self._cache = cache
        self._read: dict[str, tuple[Outlet | None, list[Problem]]] = {}

    @property
    def outlets(self) -> dict[str, Outlet]:
        """All outlets with a valid file, by id."""
        return self._all.outlets

    @property
    def files(self) -> dict[str, Path]:
        """The files of these outlets."""
        return self._all.paths

    @property
    def problems(self) -> list[Problem]:
        """The problems of files that could not be loaded."""
        return self._all.problems

    def get(self, outlet_id: str) -> Outlet:
        """Return the outlet with this id.

        Raises ConfigError that lists the problems of its file, or similar ids if there is no such file.
        """
        if outlet_id not in self._read:
            self._read[outlet_id] = read_outlet(self.path(outlet_id))
        outlet, problems = self._read[outlet_id]
        if outlet is None:
            raise ConfigError("\n".join(str(problem) for problem in problems[:5]))
        return outlet

    def path(self, outlet_id: str) -> Path:
        """Return the file of an outlet. Raises ConfigError with similar ids if there is none."""
        path = self._path(outlet_id)
        if path is not None:
            return path
        known = sorted(path.stem for path in self._paths())
        similar = difflib.get_close_matches(outlet_id.lower(), known, 3)
        hint = (
            f"Did you mean {' or '.join(similar)}?" if similar else f"Known outlets: {', '.join(known[:12]) or 'none'}."
        )
        raise ConfigError(f"No outlet {outlet_id!r} in {self.folder}. {hint} See `pressmark outlet list`.")

    def find(self, outlet_id: str) -> Outlet | None:
        """Return the outlet with this id, or None if it has no valid file."""
        try:
            return self.get(outlet_id)
        except ConfigError:
            return None

    def select(self, outlet_ids: Iterable[str]) -> list[Outlet]:
        """Return the outlets with these ids, without duplicates, in the given order.

        Raises ConfigError as `get` does.
        """
        return [self.get(outlet_id) for outlet_id in dict.fromkeys(outlet_ids)]

    def select_groups(self, names: Iterable[str], *, reaching_past: bool = False) -> list[Outlet]:
        """Return the outlets of these ids and groups, without duplicates.

        A group is a tier or `all`, and stands for its enabled outlets; with reaching_past only for those that can be
        crawled for a window. Raises ConfigError as `get` does.
        """
        found: dict[str, Outlet] = {}
        for name in names:
            if name in (*TIER_INTERVALS, "all"):
                group = (o for o in self.outlets.values() if o.enabled and name in (o.tier, "all"))
                outlets = [o for o in group if o.reaches_past or not reaching_past]
            else:
                outlets = [self.get(name)]
            found.update((outlet.id, outlet) for outlet in outlets)
        return list(found.values())

    @cached_property
    def _all(self) -> _Files:
        found = _Files()
        cached, fresh = self._read_cache(), {}
        new = 0
        for path in self._paths():
            stamp = _stamp(path)
            outlet: Outlet | None
            problems: list[Problem] = []
            if stamp and path.name in cached and cached[path.name][0] == stamp:
                outlet = cached[path.name][1]
            else:
                outlet, problems = read_outlet(path)
                new += 1
            if outlet is not None and outlet.id in found.outlets:
                problems = [Problem(path, "", None, f"{found.paths[outlet.id].name} is there too. Remove one of them")]
                outlet = None
            found.problems.extend(problems)
            if outlet is not None:
                found.outlets[outlet.id] = outlet
                found.paths[outlet.id] = path
                if stamp:
                    fresh[path.name] = stamp, outlet
        if new >= _MIN_CACHED:
            self._write_cache(fresh)
        return found

    def _paths(self) -> list[Path]:
        try:
            with os.scandir(self.folder) as entries:
                return sorted(Path(entry.path) for entry in entries if entry.name.endswith(ENDINGS))
        except FileNotFoundError:
            return []

    def _path(self, outlet_id: str) -> Path | None:
        if os.sep in outlet_id:
            return None
        return next((path for ending in ENDINGS if (path := self.folder / f"{outlet_id}{ending}").is_file()), None)

    def _read_cache(self) -> dict[str, tuple[_Stamp, Outlet]]:
        """Return the cached outlets by file name. Empty if there are none, or those of another version or folder."""
        if self._cache is None:
            return {}
        try:
            with self._cache.open("rb") as file:
                if pickle.load(file) == self._cache_key:  # noqa: S301 - only this installation writes to its home
                    cached: dict[str, tuple[_Stamp, Outlet]] = pickle.load(file)  # noqa: S301
                    return cached
        except Exception:  # noqa: S110 - whatever is wrong with a cache, the files are there
            pass
        return {}

    def _write_cache(self, outlets: dict[str, tuple[_Stamp, Outlet]]) -> None:
        if self._cache is None:
            return
        settled = time.time_ns() - int(_SETTLED_SECONDS * 1e9)
        kept = {name: item for name, item in outlets.items() if max(item[0][1:3]) < settled}
        temporary = self._cache.with_suffix(f".{os.getpid()}")
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                pickle.dump(self._cache_key, file)
                pickle.dump(kept, file)
            temporary.replace(self._cache)
        except OSError:  # the files are read again next time
            temporary.unlink(missing_ok=True)

    @property
    def _cache_key(self) -> str:
        """What a cached outlet depends on, besides its file."""
        code = "".join(inspect.getsource(module) for module in (outlet_model, outlet_files))
        parts = (str(self.folder), sys.version, pydantic.VERSION, code)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def load_registry(settings: Settings) -> Registry:
    """Return the outlets of an installation. Raises ConfigError if the folder is missing."""
    if not settings.outlets.is_dir():
        raise ConfigError(
            f"The outlets folder {settings.outlets} does not exist. Set PRESSMARK_OUTLETS to a folder of outlet files."
        )
    return Registry(settings.outlets, settings.home / "cache" / "outlets")


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes with a file: its size, times (ns) and inode."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
