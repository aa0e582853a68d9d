"""Which addresses may be connected to for a URL that a client chose.

Only those of the public internet, unless a network is listed: what is not public is the country's own, and would be
reached from inside. The networks that are refused are those of IANA's registries of special-purpose addresses.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from app.url_parsing import ForbiddenUrl, Target, target_of

__all__ = ["Address", "AllowedAddresses", "ForbiddenUrl", "Network", "Unresolved", "resolve"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_DNS_TIMEOUT = 5.0  # seconds, where a URL is checked
_REFUSED = tuple(
    map(
        IPv4Network,
        [
            "0.0.0.0/8",  # this host
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # behind a carrier's NAT; 100.100.100.200 is Alibaba's metadata
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # Azure's host, which only its guests reach
            "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata of most clouds
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocols; 192.0.0.192 is Oracle's metadata
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ],
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
_PUBLIC_6 = (IPv6Network("2000::/3"), _NAT64)  # beyond it is no global unicast
_REFUSED_6 = tuple(
    map(
        IPv6Network,
        [
            "2001::/23",  # protocols, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ],
    )
)


class Unresolved(Exception):
    """DNS knows no address of a host, or did not answer in time."""


def resolve(host: str) -> list[Address]:
    """All addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(address[0])) for *_, address in found))


@dataclass(frozen=True)
class AllowedAddresses:
    """Those of the public internet and of these networks. `resolve` gives a host's addresses, or raises OSError."""

    networks: Sequence[Network] = ()
    allow_http: bool = False
    resolve: Callable[[str], Sequence[Address]] = field(default=resolve, repr=False)

    def check_url(self, url: str) -> None:
        """Raises ForbiddenUrl where the URL is not strictly one, or any address of its host is not permitted."""
        target = self.target(url)
        try:
            self.addresses(target.host, _DNS_TIMEOUT)
        except Unresolved:
            raise ForbiddenUrl("The URL's host does not resolve to an address: check its spelling") from None

    def target(self, url: str) -> Target:
        """The URL, read. Its host is not resolved. Raises ForbiddenUrl."""
        target = target_of(url, allow_http=self.allow_http)
        if target.address is not None:
            self._check([target.address])
        return target

    def addresses(self, host: str, seconds: float) -> list[Address]:
        """The addresses of a host, resolved once, if all are permitted.

        Raises ForbiddenUrl, and Unresolved where DNS gives none within these seconds.
        """
        try:
            found: Sequence[Address] = [ip_address(host)]
        except ValueError:
            found = _within(seconds, self.resolve, host)
        self._check(found)
        return list(found)

    def permits(self, address: Address) -> bool:
        """Whether it is public or listed, and so is every IPv4 address that it stands for."""
        if isinstance(address, IPv4Address):
            return self._lists(address) or not any(address in network for network in _REFUSED)
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return self.permits(address.ipv4_mapped)
        is_public = any(address in network for network in _PUBLIC_6)
        is_public = is_public and not any(address in network for network in _REFUSED_6)
        return (is_public or self._lists(address)) and all(map(self.permits, _embedded(address)))

    def _check(self, addresses: Sequence[Address]) -> None:
        if not all(map(self.permits, addresses)):
            raise ForbiddenUrl(
                "The URL's host is not on the public internet. Where it is the country's own, "
                "let its operator list the network in WEBHOOK_ALLOWED_NETWORKS"
            )

    def _lists(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that packets to this address may come to."""
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    if address in _NAT64 or 1 < int(address) < 2**32:  # the latter is IPv4-compatible
        yield IPv4Address(int(address) % 2**32)


def _within(seconds: float, resolve: Callable[[str], Sequence[Address]], host: str) -> Sequence[Address]:
    """getaddrinfo cannot be told to hurry, so that it is left behind in its thread where it takes too long."""
    answer: Future[Sequence[Address]] = Future()

    def ask() -> None:
        try:
            answer.set_result(resolve(host))
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        found = answer.result(seconds)
    except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
        raise Unresolved(type(error).__name__) from None
    if not found:
        raise Unresolved
    return found
