"""The variables that a message's wording and layout may use, out of the payload of its trigger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.cleaning import clean
from app.notifications.catalogue import USER_MESSAGES, Message, family_of
from app.outbox.delivery import Delivery
from app.records.informant import Informant, full_name

# Core's fields, and by what other names the files of existing countries call them.
_ALIASES = {
    "code": ("authCode",),
    "temporaryPassword": ("password",),
    "newUsername": ("username",),
}


def variables_of(message: str, payload: Mapping[str, Any]) -> dict[str, str]:
    """Every text field by its own name, the recipient's name, and aliases.

    `payload` is a validated one: CONTRACT.md section 2, or a country's own with a `recipient` of core's shape. Always
    there: `firstname`, `firstNames` (the same) and `name` (first, middle and surname), "" where there is no name; for
    reset-password-by-admin `adminName`. All values can be said in UTF-8 and hold no U+0000.
    """
    recipient = payload.get("recipient") or {}
    name = recipient.get("name") or {}
    firstname = name.get("firstname", "").strip()
    found = {"firstname": firstname, "firstNames": firstname, "name": full_name(name)}
    found |= {field: value for field, value in payload.items() if isinstance(value, str)}
    if message in USER_MESSAGES:
        found |= _aliases(message, payload)
    return {field: clean(value) for field, value in found.items()}


def variables_for(message: str, delivery: Delivery, minutes: int) -> dict[str, str]:
    """Those that came with the delivery, or else those of its trigger; `minutes` is the life of a one-time code."""
    given = delivery.payload.get("variables")
    found = variables_of(message, delivery.trigger.payload) if given is None else dict(given)
    return {"minutes": str(minutes)} | found


def languages_of(delivery: Delivery) -> Sequence[str]:
    """In which to say it, one below the other."""
    languages: Sequence[str] = delivery.payload.get("languages") or [delivery.payload["language"]]
    return languages


def informant_variables(
    message: Message,
    event_type: str,
    *,
    tracking_id: str,
    informant: Informant,
    office: str = "",
    registration_number: str = "",
    reason: str = "",
) -> dict[str, str]:
    """Those of a message to an informant; what is not known is "".

    `message` is one of the catalogue's INFORMANT_MESSAGES. `name` is of whom the record is about, and where there is
    none the wording with the id in `unnamed` stands in.
    """
    found = {
        "trackingId": tracking_id,
        "informantName": informant.name,
        "firstname": informant.firstname,
        "firstNames": informant.firstname,
        "lastName": informant.name.removeprefix(informant.firstname).strip(),
        "name": informant.subject,
        "unnamed": f"{family_of(event_type)}.unnamed",
        "crvsOffice": office,
        "registrationLocation": office,
        "registrationNumber": registration_number,
        "reason": reason,
        "news": message.shared[0],
        "eventType": event_type,
        "event": event_type,
    }
    return {field: clean(value) for field, value in found.items()}


def _aliases(message: str, payload: Mapping[str, Any]) -> dict[str, str]:
    found = {alias: payload[field] for field, aliases in _ALIASES.items() if field in payload for alias in aliases}
    if message == "reset-password" and "code" in payload:
        # Files from before core sent a code here speak of a password.
        found["password"] = payload["code"]
    if "admin" in payload:
        found["adminName"] = full_name(payload["admin"]["name"])
    return found
