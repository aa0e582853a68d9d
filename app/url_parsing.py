"""URLs of receivers, read strictly: what any two parsers could read differently is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

import idna

LONGEST_URL = 2_000
_LONGEST_HOST = 253

_URL = re.compile(r"(https?)://([^/?]*)([/?].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# What inet_aton takes for a number, so that such a name may be an address to some: 0x7f.1, 017700000001, 127.1.
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PORTS = {"http": 80, "https": 443}


class ForbiddenUrl(Exception):
    """This URL is not posted to. The message tells the client what to change, and quotes neither path nor password."""


@dataclass(frozen=True)
class Target:
    """`host` is an address, without brackets, or a name in ASCII and small letters. `rest` begins with /."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """None where the host is a name."""
        return _address(self.host)

    @property
    def url(self) -> str:
        """The URL as everybody reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.rest}"


def target_of(url: str, *, allow_http: bool) -> Target:
    """Raises ForbiddenUrl."""
    if len(url) > LONGEST_URL:
        raise ForbiddenUrl(f"The URL is longer than {LONGEST_URL} characters")
    if any(one.isspace() or not one.isprintable() or one in '\\<>"`{}|^' for one in url):
        raise ForbiddenUrl("The URL has a space, a backslash or another character in it that must be percent-encoded")
    if "#" in url:
        raise ForbiddenUrl("The URL has a fragment: leave out # and what follows it")
    parts = _URL.fullmatch(url)
    if not parts:
        raise ForbiddenUrl(f"The URL does not begin with {'http:// or ' if allow_http else ''}https://")
    scheme, authority, rest = parts[1].lower(), parts[2], parts[3] or "/"
    if scheme == "http" and not allow_http:
        raise ForbiddenUrl("The URL is http, which anybody on the way can read: make it https")
    if "@" in authority:
        raise ForbiddenUrl("The URL has a name or a password before the host: leave it out, and use a header")
    if not rest.isascii():
        raise ForbiddenUrl("The URL has characters beyond ASCII after its host: percent-encode them")
    host_and_port = _AUTHORITY.fullmatch(authority)
    port = host_and_port and int(host_and_port[2] or _PORTS[scheme])
    if not host_and_port or not port or port > 65_535:
        raise ForbiddenUrl("The URL has no host, or a port that is not a number from 1 to 65535")
    return Target(scheme, _host(host_and_port[1]), port, rest if rest.startswith("/") else f"/{rest}")


def _host(given: str) -> str:
    if given.startswith("["):
        try:
            return str(IPv6Address(_without_zone(given[1:-1])))
        except AddressValueError:
            raise ForbiddenUrl("The URL's host is in brackets, and is no IPv6 address without a zone") from None
    host = _in_ascii(given)
    labels = host.split(".")
    if _NUMERIC.fullmatch(labels[-1]) and _address(host) is None:
        raise ForbiddenUrl("The URL's host is a number: write an address as four decimal numbers with dots between")
    if len(host) > _LONGEST_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ForbiddenUrl("The URL's host is not a name of letters, digits, hyphens and dots between them")
    return host


def _in_ascii(host: str) -> str:
    """A name beyond ASCII as IDNA 2008 writes it; nothing is mapped, so that ① or a full-width 1 is no digit."""
    if host.isascii() or len(host) > _LONGEST_HOST:
        return host.lower()
    try:
        return idna.encode(host.lower(), strict=True).decode("ascii")
    except idna.IDNAError:
        raise ForbiddenUrl("The URL's host has characters that no domain name has") from None


def _without_zone(text: str) -> str:
    if "%" in text:
        raise AddressValueError
    return text


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return IPv6Address(host) if ":" in host else IPv4Address(host)
    except AddressValueError:
        return None
