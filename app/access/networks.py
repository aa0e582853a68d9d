"""From where a request comes: the address of its caller, and whether that address is trusted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from werkzeug.wrappers import Request

from app.access.callers import CallerKind
from app.settings import AppEnv, Network, Settings

Address = IPv4Address | IPv6Address
LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

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
    """The addresses of callers, and whether they may see /metrics and the development pages.

    A forwarded address counts only if the peer is a trusted proxy.
    """

    def __init__(self, trusted: Iterable[Network], proxies: Iterable[Network]) -> None:
        self._trusted = tuple(trusted)
        self._proxies = tuple(proxies)

    def is_trusted(self, request: Request) -> bool:
        caller = self.address(request)
        return caller is not None and _within(caller, self._trusted)

    def address(self, request: Request) -> Address | None:
        """Return the caller's address, or None if it cannot be known.

        It is the last address of X-Forwarded-For that is not a trusted proxy's. If all of them are, the last one
        counts: a proxy and core may share a machine.

        It cannot be known if somebody who is not a trusted proxy sends a header that only proxies send, if a proxy
        forwards something that is not an address, and if a proxy does not say for whom it calls.
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
        return _parsed(chain[-1].strip())


@dataclass(frozen=True)
class TokenlessNetworks:
    """The networks from which calls without a token are taken: `listed` in production, `developers` elsewhere."""

    listed: tuple[Network, ...] = ()
    developers: tuple[Network, ...] = ()

    @classmethod
    def from_settings(cls, settings: Settings) -> TokenlessNetworks:
        if settings.app_env is AppEnv.PRODUCTION:
            return cls(listed=settings.tokenless_callers)
        return cls(developers=(*LOOPBACK, *settings.tokenless_callers))

    def kind_of(self, address: Address | None) -> CallerKind:
        """Return what a caller without a token is, by its address."""
        if address is not None and _within(address, self.developers):
            return CallerKind.DEVELOPER
        if address is not None and _within(address, self.listed):
            return CallerKind.LISTED
        return CallerKind.NOBODY


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
