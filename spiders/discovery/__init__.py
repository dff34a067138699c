"""Discovery methods, one per module: which requests to make, and which parser handles the responses."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

METHODS = frozenset(("archive", "feed", "robots", "section", "sitemap", "wordpress"))


def discovery_module(method: str) -> ModuleType:
    """The module of a discovery method. It is imported when an outlet uses it: parsers take time to import."""
    if method not in METHODS:
        raise ValueError(f"there is no discovery method {method!r}")
    return import_module(f"spiders.discovery.{method}")
