"""Whom a message goes to: is there an address, may it be used, and by which channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from app.masking import mask_email

DEMO_DOMAIN = "@example.com"

# Mail servers of a government may well have names that the public internet does not know, such as `.local`.
SPECIAL_USE_DOMAIN_NAMES.clear()


class Usable(Enum):
    """What can be done with an address."""

    YES = auto()
    ABSENT = auto()
    DEMO = auto()  # belongs to a demo user: never sent to
    INVALID = auto()


@dataclass(frozen=True)
class Sorted:
    """Addresses by what can be done with them, each once, in their order."""

    usable: tuple[str, ...]
    demo: tuple[str, ...]
    invalid: tuple[str, ...]


def judge_email(address: str | None) -> Usable:
    """By its form alone: no network is asked."""
    address = (address or "").strip()
    if not address:
        return Usable.ABSENT
    if address.casefold().endswith(DEMO_DOMAIN):
        return Usable.DEMO
    try:
        read = validate_email(address, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return Usable.INVALID
    # Some letters of other scripts mean the same as ASCII's to the DNS.
    return Usable.DEMO if f"@{read.ascii_domain}".casefold() == DEMO_DOMAIN else Usable.YES


def judge_mobile(number: str | None) -> Usable:
    """There is one, or there is none: whether it is a number is for the provider to say."""
    return Usable.YES if (number or "").strip() else Usable.ABSENT


def sort_emails(addresses: Sequence[str]) -> Sorted:
    """Repeated and empty addresses are left out."""
    judged: dict[str, tuple[str, Usable]] = {}
    for address in addresses:
        stripped = address.strip()
        if stripped:
            judged.setdefault(stripped.lower(), (stripped, judge_email(stripped)))
    by_use = {use: tuple(address for address, found in judged.values() if found is use) for use in Usable}
    return Sorted(by_use[Usable.YES], by_use[Usable.DEMO], by_use[Usable.INVALID])


def address_for(channel: str, recipient: Mapping[str, Any]) -> tuple[str, Usable]:
    """The recipient's address on `email` or `sms`, and what can be done with it."""
    if channel == "email":
        address = recipient.get("email", "")
        return address.strip(), judge_email(address)
    number = recipient.get("mobile", "")
    return number.strip(), judge_mobile(number)


def masked_list(addresses: Sequence[str]) -> str:
    """What a list shows of several addresses: the first, and how many more."""
    if not addresses:
        return "nobody"
    more = f" and {len(addresses) - 1} more" if len(addresses) > 1 else ""
    return mask_email(addresses[0]) + more
