"""The Scrapy add-on that installs all guards of a crawl. Every crawl with this project's settings has them.

An outlet may use its own spider class. The add-on's settings override those of the project, and
`spiders.runner` rejects a spider class that sets them itself.
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
    # Between RedirectMiddleware (600) and CookiesMiddleware (700), so that bodies are as received.
    "spiders.middlewares.capture.CaptureMiddleware": 650,
    # Closest to the network, so that it times and records exactly one request and its response.
    "spiders.middlewares.lease.LeaseMiddleware": 990,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpproxy.HttpProxyMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
}

GUARDS: dict[str, Any] = {
    # Allow http and https only: a sitemap could list file:///etc/passwd.
    "DOWNLOAD_HANDLERS": {"file": None, "data": None, "ftp": None, "s3": None},
    "DOWNLOAD_VERIFY_CERTIFICATES": True,
    "DOWNLOAD_MAXSIZE": 10 * 2**20,
    "DOWNLOAD_WARNSIZE": 0,
    "DOWNLOAD_TIMEOUT": 45,
    # LeaseMiddleware enforces delay and concurrency per host, across processes.
    "DOWNLOAD_DELAY": 0,
    "CONCURRENT_REQUESTS": 4,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
    "CONCURRENT_ITEMS": 1,  # no items are used, and Scrapy creates this many tasks per response
    "AUTOTHROTTLE_ENABLED": False,
    "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
    "METAREFRESH_ENABLED": False,
    "COOKIES_ENABLED": False,
    "RETRY_TIMES": 2,
    "RETRY_HTTP_CODES": [500, 502, 504, 408],  # not 429 and 503, which ask us to wait
    "LOG_VERSIONS": [],  # would add eleven lines to every crawl log
    "REMOTE_CONTROL_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 64 * 1024,  # article bodies are empty: at most 64 pages wait for a worker
    "DEFAULT_REQUEST_HEADERS": {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        "Accept-Encoding": "gzip, deflate",
    },
    "ROBOTSTXT_USER_AGENT": ROBOTS_TOKEN,
    "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "TWISTED_DNS_RESOLVER": "spiders.resolver.GuardedResolver",
    "DNSCACHE_ENABLED": False,  # check a host name at each use, against DNS rebinding
}

# Unused components. Each costs time on every page.
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
        "scrapy.extensions.remote_control.RemoteControl": None,  # imports aiohttp: 0.2 s and 15 MB
    },
}

_PRIORITY = 25  # above project settings (20), below spider settings (30), which `spiders.runner` checks


class SafetyAddon:
    """Installs the settings, middlewares and extensions of this module."""

    @classmethod
    def update_pre_crawler_settings(cls, settings: BaseSettings) -> None:
        """Set what a process needs before its first crawler (reactor, resolver)."""
        for name, value in GUARDS.items():
            settings.set(name, value, _PRIORITY)
        settings.set("USER_AGENT", Settings.from_env().user_agent, _PRIORITY)

    def update_settings(self, settings: BaseSettings) -> None:
        """Set the settings of a crawler."""
        self.update_pre_crawler_settings(settings)
        middlewares = {**settings.getdict("DOWNLOADER_MIDDLEWARES"), **MIDDLEWARES}
        settings.set("DOWNLOADER_MIDDLEWARES", middlewares, _PRIORITY)
        for name, components in UNUSED.items():
            settings.set(name, {**settings.getdict(name), **components}, _PRIORITY)


def protected_settings() -> frozenset[str]:
    """Return the settings that a spider class must not set."""
    return frozenset((*GUARDS, "USER_AGENT", "DOWNLOADER_MIDDLEWARES", "ADDONS"))
