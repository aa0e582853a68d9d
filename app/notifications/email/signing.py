"""DKIM: a signature by which the receiving side sees that a mail is from the domain that it says (RFC 6376)."""

from __future__ import annotations

from collections.abc import Callable

import dkim

from app.settings import Dkim

Signer = Callable[[bytes], bytes]

# Those that a reader sees, and those that make the message this one (RFC 6376 section 5.4.1).
_HEADERS = (
    *(b"From", b"To", b"Cc", b"Reply-To", b"Subject", b"Date", b"Message-ID"),
    *(b"MIME-Version", b"Content-Type", b"Auto-Submitted"),
)


def _named(octets: bytes) -> list[bytes]:
    """Each once more than it is there, so that none can be added behind the signer's back."""
    there = [name.lower() for name, _ in dkim.rfc822_parse(octets)[0]]
    return [name for name in _HEADERS for _ in range(there.count(name.lower()) + 1)]


def signer(settings: Dkim) -> Signer:
    """A function that puts the signature in front of a serialised message."""
    domain, selector = settings.domain.encode("idna"), settings.selector.encode("ascii")

    def sign(octets: bytes) -> bytes:
        signature: bytes = dkim.sign(
            octets,
            selector,
            domain,
            settings.private_key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=_named(octets),
        )
        return signature + octets

    return sign
