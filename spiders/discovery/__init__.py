"""Discovery, a module a method: which requests to make, and which parser reads the answers."""

from __future__ import annotations

from types import ModuleType

from spiders.discovery import archive, feed, robots, section, sitemap, wordpress

METHODS: dict[str, ModuleType] = {
    "archive": archive,
    "feed": feed,
    "robots": robots,
    "section": section,
    "sitemap": sitemap,
    "wordpress": wordpress,
}
