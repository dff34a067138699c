"""One crawl of one outlet: its book, its segments, and what becomes of it when its process dies."""
