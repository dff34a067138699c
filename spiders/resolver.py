"""DNS resolver that blocks requests into private networks (SSRF guard).

Every connection resolves its host here, including IP literals in any notation. Only public IP addresses
pass. The exceptions are the exact hosts of PRESSMARK_RESOLVE: a plain-http URL of such a host connects to
the IP address and port given there, with URL and Host header unchanged.
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
# Public by their range, but the metadata services of cloud providers: Oracle and Azure.
_METADATA = frozenset((ip_address("192.0.0.192"), ip_address("168.63.129.16")))
refused: dict[str, str] = {}  # host -> reason, for this process


def refusal(address: str) -> str | None:
    """Return why an IP address must not be contacted; None if it is public."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        # Check the IPv4 address that an IPv6 address may embed.
        embedded = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if embedded is None and str(ip).startswith(_NAT64):
            embedded = IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = embedded or ip
    if ip in _METADATA:
        return f"{address} is the metadata service of a cloud provider, not a public site"
    if not ip.is_global or ip.is_multicast or ip.is_reserved or getattr(ip, "is_site_local", False):
        return f"{address} is not a public IP address"
    return None


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Do nothing: the resolution is complete when it is created."""


@implementer(IResolutionReceiver)
class _Guard:
    """Passes public IP addresses on and drops the others."""

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
    """The process-wide resolver, installed by Scrapy through TWISTED_DNS_RESOLVER."""

    def __init__(self, reactor: Any, table: dict[str, tuple[str, int]]) -> None:
        self._reactor = reactor
        self._resolver = reactor.nameResolver
        self._table = table

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: Any) -> GuardedResolver:
        """Create the resolver (called by Scrapy)."""
        return cls(reactor, Settings.from_env().resolve)

    def install_on_reactor(self) -> None:
        """Install the resolver (called by Scrapy)."""
        self._reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        """Resolve a host name; see IHostnameResolver."""
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
