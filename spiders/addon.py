"""All guards of a crawl as ONE Scrapy add-on: whoever uses this project's settings has them.

An outlet may bring a spider class of its own; these settings have the add-on's priority over the
project's, and `spiders.runner` refuses a class that sets them itself.
"""

from __future__ import annotations

from typing import Any

from scrapy.settings import BaseSettings

from pressmark.robots import MAX_REDIRECTS
from pressmark.settings import ROBOTS_TOKEN, Settings

MIDDLEWARES = {
    "spiders.middlewares.scope.ScopeMiddleware": 50,
    "spiders.middlewares.robots.RobotsMiddleware": 100,
    "spiders.middlewares.tdmrep.TdmrepMiddleware": 110,
    # Between RedirectMiddleware (600) and CookiesMiddleware (700): bodies as they came over the wire.
    "spiders.middlewares.capture.CaptureMiddleware": 650,
    # Nearest to the network: what it times and records is one request and its answer.
    "spiders.middlewares.lease.LeaseMiddleware": 990,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
}

GUARDS: dict[str, Any] = {
    # Only http and https: a sitemap may name file:///etc/passwd.
    "DOWNLOAD_HANDLERS": {"file": None, "data": None, "ftp": None, "s3": None},
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOAD_MAXSIZE": 10 * 2**20,
    "DOWNLOAD_WARNSIZE": 0,
    "DOWNLOAD_TIMEOUT": 45,
    # The delay between requests and their number per host is the lease's, across processes.
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 4,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "CONCURRENT_ITEMS": 1,  # there are none; Scrapy makes this many tasks for each response
    "AUTOTHROTTLE_ENABLED": False,
    "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
    "METAREFRESH_ENABLED": False,
    "COOKIES_ENABLED": False,
    "RETRY_TIMES": 2,
    "RETRY_HTTP_CODES": [500, 502, 504, 408],  # 429 and 503 ask for patience, not for a repetition
    "LOG_VERSIONS": [],  # eleven lines at the head of every task's log
    "REMOTE_CONTROL_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 64 * 1024,  # articles come with an empty body: 64 pages wait for a worker at most
    "DEFAULT_REQUEST_HEADERS": {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate",
    },
    "ROBOTSTXT_USER_AGENT": ROBOTS_TOKEN,
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "TWISTED_DNS_RESOLVER": "spiders.resolver.GuardedResolver",
    "DNSCACHE_ENABLED": False,  # a name is checked each time it is used: rebinding
}

# Nothing here needs them, and each takes its time with every page.
UNUSED = {
    "SPIDER_MIDDLEWARES": {
        "scrapy.spidermiddlewares.httperror.HttpErrorMiddleware": None,
        "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
        "scrapy.spidermiddlewares.depth.DepthMiddleware": None,
    },
    "EXTENSIONS": {
        "scrapy.extensions.logstats.LogStats": None,
        "scrapy.extensions.throttle.AutoThrottle": None,
        "scrapy.extensions.feedexport.FeedExporter": None,
        "scrapy.extensions.telnet.TelnetConsole": None,
        "scrapy.extensions.remote_control.RemoteControl": None,  # brings in aiohttp, 0.2 s and 15 MB
    },
}

_PRIORITY = 25  # above the project (20), below a spider's own (30), which `spiders.job` checks


class SafetyAddon:
    """Installs everything of this module."""

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Settings that a process needs before its first crawler (reactor, resolver)."""
        for name, value in GUARDS.items():
            settings.set(name, value, _PRIORITY)
        settings.set("USER_AGENT", Settings.from_env().user_agent, _PRIORITY)

    def update_settings(self, settings: BaseSettings) -> None:
        """Settings of a crawler."""
        self.update_pre_crawler_settings(settings)
        middlewares = {**settings.getdict("DOWNLOADER_MIDDLEWARES"), **MIDDLEWARES}
        settings.set("DOWNLOADER_MIDDLEWARES", middlewares, _PRIORITY)
        for name, components in UNUSED.items():
            settings.set(name, {**settings.getdict(name), **components}, _PRIORITY)


def protected_settings() -> frozenset[str]:
    """Settings that a spider class must not set itself."""
    return frozenset((*GUARDS, "USER_AGENT", "DOWNLOADER_MIDDLEWARES", "ADDONS"))
