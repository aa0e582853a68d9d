"""The variables that a message's wording and layout may use, out of the payload of its trigger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from app.cleaning import clean
from app.notifications.catalogue import USER_MESSAGES, Expiry, Message, family_of
from app.outbox.delivery import Delivery
from app.records.informant import Informant, full_name

# Core's fields, and by what other names the files of existing countries call them.
_ALIASES = {
    "code": ("authCode",),
    "temporaryPassword": ("password",),
    "newUsername": ("username",),
}

LINKS = frozenset({"recoveryURL"})
"""The variables that hold a link: useless when it is cut."""


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


@dataclass(frozen=True)
class MessageVariables:
    """Adds what the settings know to the variables of a message. `lifetimes` are in seconds."""

    login_url: str
    lifetimes: Mapping[Expiry, float]

    def of_payload(self, message: str, payload: Mapping[str, Any]) -> dict[str, str]:
        """Return those of `variables_of`, `minutes` (how long the code or the link works) and `recoveryURL`.

        Only messages with a link have a `recoveryURL`.
        """
        found = variables_of(message, payload)
        if _expiry_of(message) is Expiry.LINK and "token" in found:  # it is erased once nothing can need it
            found["recoveryURL"] = recovery_url(self.login_url, found["token"])
        return {"minutes": self._minutes(message)} | found

    def of_delivery(self, delivery: Delivery) -> dict[str, str]:
        """Return those that came with the delivery, or else those of its trigger."""
        message = delivery.message or ""
        given: Mapping[str, str] | None = delivery.payload.get("variables")
        if given is None:
            return self.of_payload(message, delivery.trigger.payload)
        return {"minutes": self._minutes(message)} | dict(given)

    def _minutes(self, message: str) -> str:
        return str(max(1, int(self.lifetimes[_expiry_of(message)] // 60)))


def recovery_url(login_url: str, token: str) -> str:
    """Return the page of core's login application that takes a recovery token: `/recover?token=`.

    The token is percent-encoded: it is base64, and a browser reads a plain + as a space. A query in `login_url` is
    left out.
    """
    login = urlsplit(login_url)
    page = login._replace(path=f"{login.path.rstrip('/')}/recover", query=f"token={quote(token, safe='')}", fragment="")
    return page.geturl()


def _expiry_of(message: str) -> Expiry:
    """A country's own message has the life of a one-time code."""
    known = USER_MESSAGES.get(message)
    return known.expiry if known is not None and known.expiry is not None else Expiry.CODE


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
