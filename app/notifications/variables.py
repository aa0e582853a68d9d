"""The variables that a message's wording and layout may use, out of the payload of its trigger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.cleaning import clean
from app.notifications.catalogue import USER_MESSAGES

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


def full_name(name: Mapping[str, str]) -> str:
    """A NameFieldValue in one line, without what is empty."""
    parts = (name.get(part, "").strip() for part in ("firstname", "middlename", "surname"))
    return " ".join(filter(None, parts))


def _aliases(message: str, payload: Mapping[str, Any]) -> dict[str, str]:
    found = {alias: payload[field] for field, aliases in _ALIASES.items() if field in payload for alias in aliases}
    if message == "reset-password" and "code" in payload:
        # Files from before core sent a code here speak of a password.
        found["password"] = payload["code"]
    if "admin" in payload:
        found["adminName"] = full_name(payload["admin"]["name"])
    return found
