"""Names to addresses, with a guard against requests into private networks (SSRF).

Every connection resolves its host here, literals in any notation included, and only addresses of the
public internet come out. The exception are the exact hosts of PRESSMARK_RESOLVE: a plain-http URL of
such a host connects to the address and port given there, with URL and Host header unchanged.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from scrapy.crawler import Crawler
from twisted.internet.address import IPv4Address as TCP4
from twisted.internet.address import IPv6Address as TCP6
from twisted.internet.interfaces import IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer

from pressmark.settings import Settings

_NAT64 = "64:ff9b::"
refused: dict[str, str] = {}  # host -> why, of this process


def refusal(address: str) -> str | None:
    """Why an address is not contacted; None for a public one."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        # An IPv4 address in IPv6 clothes is judged by itself.
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and str(ip).startswith(_NAT64):
            inner = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    if not ip.is_global or ip.is_multicast or ip.is_reserved or getattr(ip, "is_site_local", False):
        return f"{address} is not an address of the public internet"
    return None


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing to cancel: it is done at once."""


@implementer(IResolutionReceiver)
class _Guard:
    """Passes public addresses on and drops the others."""

    def __init__(self, receiver: Any, host: str) -> None:
        self._receiver = receiver
        self._host = host
        self._passed = False
        self._reason: str | None = None

    def resolutionBegan(self, resolution: Any) -> None:
        self._receiver.resolutionBegan(resolution)

    def addressResolved(self, address: Any) -> None:
        reason = refusal(address.host)
        if reason:
            self._reason = reason
        else:
            self._passed = True
            self._receiver.addressResolved(address)

    def resolutionComplete(self) -> None:
        if self._reason and not self._passed:
            refused[self._host] = self._reason
        else:
            refused.pop(self._host, None)
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class GuardedResolver:
    """The process's resolver; Scrapy installs it by TWISTED_DNS_RESOLVER."""

    def __init__(self, reactor: Any, table: dict[str, tuple[str, int]]) -> None:
        self._reactor = reactor
        self._resolver = reactor.nameResolver
        self._table = table

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GuardedResolver:
        """Scrapy's way to make it."""
        return cls(reactor, Settings.from_env().resolve)

    def install_on_reactor(self) -> None:
        """Scrapy's way to install it."""
        self._reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """See IHostnameResolver."""
        host = hostName.lower().rstrip(".")
        if portNumber == 80 and host in self._table:
            address, port = self._table[host]
            resolution = _Resolution(hostName)
            resolutionReceiver.resolutionBegan(resolution)
            family = TCP6 if ":" in address else TCP4
            resolutionReceiver.addressResolved(family("TCP", address, port))
            resolutionReceiver.resolutionComplete()
            return resolution
        guard = _Guard(resolutionReceiver, host)
        return self._resolver.resolveHostName(guard, hostName, portNumber, addressTypes, transportSemantics)
