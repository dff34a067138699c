"""Scrapy's settings. All guards come from one add-on, so that no spider can be without them."""

BOT_NAME = "pressmark"
SPIDER_MODULES = ["spiders"]
NEWSPIDER_MODULE = "spiders"
ADDONS = {"spiders.addon.Guards": 100}

LOG_LEVEL = "INFO"
MEMUSAGE_ENABLED = True
MEMUSAGE_LIMIT_MB = 2048
