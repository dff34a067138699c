"""Parsers for the listings of endpoints: feeds, sitemaps, sections, the WordPress REST API. They make no requests."""
