"""Infobip's statuses, which come with the answer to a message, in its reports and in its logs.

https://www.infobip.com/docs/essentials/api-essentials/response-status-and-error-codes and, for which of them are
final, https://www.infobip.com/docs/developer-resources/api-fundamentals/message-status-codes
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from app.masking import mask

_LONGEST_DESCRIPTION = 200


class Standing(Enum):
    """Where a message stands."""

    ON_ITS_WAY = auto()
    ARRIVED = auto()
    REFUSED = auto()  # it will never arrive like this
    LATER = auto()  # it did not go out, and may if it is sent again
    LATER_FOR_ALL = auto()  # the same, and it holds up all messages until an operator mends it
    REPEATED = auto()  # another message had the same id


@dataclass(frozen=True)
class Status:
    """One status: where the message stands, and what an operator is told."""

    standing: Standing
    words: str


def status_of(status: object) -> Status | None:
    """Read a `status` object, {"groupId", "groupName", "id", "name", "description"}; None where it is none."""
    if not isinstance(status, dict) or not isinstance(status.get("groupId"), int):
        return None
    name = str(status.get("name"))
    standing, advice = _KNOWN.get(name) or (_GROUPS.get(status["groupId"], Standing.LATER), None)
    said = advice or mask(str(status.get("description") or "no description"))[:_LONGEST_DESCRIPTION]
    return Status(standing, f"Infobip's {name}: {said}")


_GROUPS = {
    0: Standing.ON_ITS_WAY,  # accepted
    1: Standing.ON_ITS_WAY,  # pending
    2: Standing.LATER,  # undeliverable
    3: Standing.ARRIVED,  # delivered
    4: Standing.LATER,  # expired
    5: Standing.LATER,  # rejected
}
_KNOWN = {
    "DELIVERED_TO_OPERATOR": (Standing.ON_ITS_WAY, None),  # of the group of those that arrived, and not final
    "MISSING_TO": (Standing.REFUSED, "there is no number"),
    "REJECTED_DESTINATION": (Standing.REFUSED, "the number is not one that exists, or is on a blocklist"),
    "REJECTED_DESTINATION_BLOCKLISTED": (Standing.REFUSED, "the number is on the account's or operator's blocklist"),
    "REJECTED_DND": (Standing.REFUSED, "the recipient has opted out (do not disturb)"),
    "REJECTED_INVALID_DESTINATION": (Standing.REFUSED, "the number is not one that exists"),
    "REJECTED_INVALID_UDH": (Standing.REFUSED, "the message is malformed"),
    "REJECTED_MESSAGE_TOO_LONG": (Standing.REFUSED, "the message is too long"),
    "REJECTED_NETWORK": (Standing.REFUSED, "the account does not reach this network: ask Infobip to set it up"),
    "REJECTED_PREFIX_MISSING": (Standing.REFUSED, "the number's prefix or length is not one that exists"),
    "SIGNALS_BLOCKED": (Standing.REFUSED, "Infobip takes the message for fraud: ask its support"),
    "REJECTED_NOT_ENOUGH_CREDITS": (Standing.LATER_FOR_ALL, "the account is out of credits: top it up"),
    "REJECTED_PREPAID_PACKAGE_EXPIRED": (Standing.LATER_FOR_ALL, "the account's credits have expired: top it up"),
    "REJECTED_ROUTE_NOT_AVAILABLE": (Standing.LATER_FOR_ALL, "the account is not set up to send: ask Infobip"),
    "REJECTED_SENDER": (Standing.LATER_FOR_ALL, "the sender is on the account's blocklist: check INFOBIP_SENDER_ID"),
    "REJECTED_SOURCE": (Standing.LATER_FOR_ALL, "the sender is not registered: check INFOBIP_SENDER_ID"),
    "REJECTED_DESTINATION_NOT_REGISTERED": (Standing.LATER, "a trial account sends to registered numbers only"),
    "REJECTED_FLOODING_FILTER": (Standing.LATER, "too many messages to this number within the hour"),
    "REJECTED_DUPLICATE_MESSAGE_ID": (Standing.REPEATED, "it has had a message with this id before"),
}
