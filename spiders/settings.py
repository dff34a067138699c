"""Scrapy settings. One add-on installs all guards, so that every spider has them."""

BOT_NAME = "pressmark"
SPIDER_MODULES = ["spiders.outlet_spider"]  # modules that `scrapy list` searches
NEWSPIDER_MODULE = "spiders"
ADDONS = {"spiders.addon.SafetyAddon": 100}

LOG_LEVEL = "INFO"
LOG_INSTALL_ROOT_HANDLER = False  # the crawl process sets up its own handler
LOGSTATS_INTERVAL = 0
MEMUSAGE_ENABLED = True
MEMUSAGE_LIMIT_MB = 2048
