"""Mail addresses, and domains and names of the DNS."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_WORD = rf'[^\s{_CONTROLS}<>()\[\]\\,;:@"'
_ADDRESS = rf"{_WORD}]+@(?P<{{domain}}>{_WORD}.]+(?:\.{_WORD}.]+)*)"
MAILBOX = re.compile(rf"[^{_CONTROLS}<>,]*<{_ADDRESS.format(domain='named')}>|{_ADDRESS.format(domain='bare')}")

# RFC 1035 section 2.3.1. Keys, unlike hosts, are found below names with underscores too.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SELECTOR_LABEL = _LABEL.replace("0-9-", "0-9_-")
_SELECTOR = re.compile(rf"{_SELECTOR_LABEL}(?:\.{_SELECTOR_LABEL})*", re.IGNORECASE)
_LONGEST_DOMAIN = 253


class Domain(fields.Field[str]):
    """A domain of the DNS, in any letters; the value is in small ASCII letters (IDNA)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        domain = ascii_domain(value)
        if DOMAIN.fullmatch(domain) is None or len(domain) > _LONGEST_DOMAIN:
            raise ValidationError(
                "no domain. Write it as in the DNS, such as registry.example: "
                "letters, digits and hyphens between dots, 63 of them at most."
            )
        return domain


def address(value: str) -> None:
    """One mailbox, with a name or bare (RFC 5322). Raises ValidationError."""
    if MAILBOX.fullmatch(value) is None:
        raise ValidationError(
            'not one e-mail address. Write it as name@domain or "Name <name@domain>", without a comma or a second one.'
        )


def mail_domain(value: str) -> str:
    """Return a domain of the DNS in small ASCII letters. Raises ValueError."""
    domain = ascii_domain(value)
    if DOMAIN.fullmatch(domain) is None or len(domain) > _LONGEST_DOMAIN:
        raise ValueError(f"{value!r} is not a valid domain: write it as in the DNS, such as registry.example")
    return domain


def selector(value: str) -> None:
    """What stands before ._domainkey (RFC 6376 section 3.1). Raises ValidationError."""
    if _SELECTOR.fullmatch(value) is None or len(value) > _LONGEST_DOMAIN:
        raise ValidationError(
            "no name that the DNS can hold. Write what stands in front of ._domainkey there, such as 2026: "
            "ASCII letters, digits and hyphens, 63 of them at most between dots."
        )


def ascii_domain(domain: str) -> str:
    """In small letters, and as the DNS knows it where that can be done."""
    if domain.isascii():
        return domain.lower()
    import idna  # its tables are large, such domains are few

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain
