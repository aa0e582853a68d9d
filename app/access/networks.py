"""From where a request comes: the address of its caller, and whether that address is trusted."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

from werkzeug.wrappers import Request

from app.settings import Network

Address = IPv4Address | IPv6Address

# What proxies add, in small letters: whoever sends one of these speaks for somebody else.
_FORWARDING_PREFIXES = ("x-forwarded", "x-original-")
_FORWARDING_HEADERS = frozenset(
    {
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "cf-connecting-ip",
        "fly-client-ip",
        "true-client-ip",
    }
)


class Callers:
    """Judges callers by the peer's address, and by a forwarded one only where the peer is a trusted proxy."""

    def __init__(self, trusted: Iterable[Network], proxies: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)
        self._proxies = tuple(proxies)

    def is_trusted(self, request: Request) -> bool:
        caller = self.address(request)
        return caller is not None and _within(caller, self._trusted)

    def address(self, request: Request) -> Address | None:
        """The caller's address; None where it cannot be known.

        It cannot where somebody who is not a trusted proxy sends a header that only proxies send, where what a proxy
        forwards is no address, and where a proxy does not say whom it speaks for.
        """
        peer = _parsed(request.remote_addr or "")
        if peer is None:
            return None
        if not _within(peer, self._proxies):
            return None if _is_forwarded(request) else peer
        chain = ",".join(request.headers.getlist("X-Forwarded-For")).split(",")
        for hop in reversed(chain):
            address = _parsed(hop.strip())
            if address is None or not _within(address, self._proxies):
                return address
        return None


def _is_forwarded(request: Request) -> bool:
    names = [name.lower() for name in request.headers.keys()]  # noqa: SIM118  the mapping's iterator gives pairs
    return any(name in _FORWARDING_HEADERS or name.startswith(_FORWARDING_PREFIXES) for name in names)


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # ::ffff:10.0.0.1 is how a dual-stack socket shows an IPv4 peer.
    return getattr(address, "ipv4_mapped", None) or address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
