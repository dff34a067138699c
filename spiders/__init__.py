"""The Scrapy project: discovery and fetching. Pages are processed in `pressmark`."""
