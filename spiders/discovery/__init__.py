"""Discovery, a module a method: which requests to make, and which parser reads the answers."""

from __future__ import annotations

from types import ModuleType

from spiders.discovery import feed, section, sitemap

METHODS: dict[str, ModuleType] = {"feed": feed, "section": section, "sitemap": sitemap}
