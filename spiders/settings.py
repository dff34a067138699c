"""Scrapy's settings. All guards come from one add-on, so that no spider can be without them."""

BOT_NAME = "pressmark"
SPIDER_MODULES = ["spiders.outlet_spider"]  # what `scrapy list` shows
NEWSPIDER_MODULE = "spiders"
ADDONS = {"spiders.addon.SafetyAddon": 100}

LOG_LEVEL = "INFO"
LOG_INSTALL_ROOT_HANDLER = False  # the process that crawls has set up its own
LOGSTATS_INTERVAL = 0
MEMUSAGE_ENABLED = True
MEMUSAGE_LIMIT_MB = 2048
