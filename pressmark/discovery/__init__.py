"""What endpoints list: pure parsers of feeds and sitemaps."""
