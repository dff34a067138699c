"""The Scrapy project: how outlets are found and fetched. What happens to a page is in `pressmark`."""
