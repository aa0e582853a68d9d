"""All triggers that this server takes: core's user triggers, /email, and the country's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marshmallow import Schema

from app.country import Country, CountryTrigger, InvalidRules
from app.notifications.catalogue import (
    ALERT,
    DECISION_OPEN,
    INFORMANT,
    INFORMANT_MESSAGES,
    USER_MESSAGES,
    Message,
    News,
)
from app.triggers import allow_list, payloads
from app.triggers.allow_list import Grants

EMAIL = "email"
HOUR = 3_600.0


@dataclass(frozen=True)
class TriggerType:
    """One trigger: its payload, the message it causes, and what is special about keeping it.

    `path` is what follows /triggers/. `callers` says who may send it. The fields in `secrets` are kept apart and erased
    early. The same payload again within `repeats_within` seconds is taken as a caller that tries again, and owes
    nothing.
    """

    path: str
    schema: Schema
    message: Message
    callers: Grants
    secrets: tuple[str, ...] = ()
    repeats_within: float | None = None


_USER_PAYLOADS: Mapping[str, tuple[type[Schema], tuple[str, ...]]] = {
    "user-created": (payloads.Credentials, ("temporaryPassword",)),
    "user-updated": (payloads.UsernameChange, ()),
    "username-reminder": (payloads.Username, ()),
    "reset-password": (payloads.Code, ("code",)),
    "reset-password-by-admin": (payloads.PasswordByAdmin, ("temporaryPassword",)),
    "resend-invite": (payloads.Credentials, ("temporaryPassword",)),
    "2fa": (payloads.Code, ("code",)),
    "all-user-notification": (payloads.Announcement, ()),
    "change-phone-number": (payloads.Code, ("code",)),
    "change-email-address": (payloads.Code, ("code",)),
    "password-reset-link": (payloads.RecoveryToken, ("token",)),
    "username-reminder-link": (payloads.RecoveryToken, ("token",)),
}


def trigger_types(country: Country) -> dict[str, TriggerType]:
    """Every trigger by its path. Raises InvalidRules where one of the country's would change a message of core's."""
    ours = [
        TriggerType(
            path=f"user/{name}",
            schema=schema(),
            message=USER_MESSAGES[name],
            callers=allow_list.USER_TRIGGERS[name],
            secrets=secrets,
            repeats_within=HOUR if USER_MESSAGES[name].announcement else None,
        )
        for name, (schema, secrets) in _USER_PAYLOADS.items()
    ]
    alert = TriggerType(EMAIL, payloads.InfrastructureAlert(), ALERT, allow_list.INFRASTRUCTURE_ALERT)
    theirs = [
        TriggerType(
            path=declared.path,
            schema=payloads.WithRecipient.from_dict(dict(declared.fields))(),
            message=_message_of(declared),
            callers=allow_list.OWN_TRIGGERS,
            secrets=declared.secrets,
        )
        for declared in country.triggers.values()
    ]
    return {kind.path: kind for kind in [*ours, alert, *theirs]}


def _message_of(declared: CountryTrigger) -> Message:
    """Messages are known by their names alone, to the templates and to the senders."""
    taken = {*USER_MESSAGES, ALERT.name, DECISION_OPEN.name, *INFORMANT_MESSAGES, INFORMANT, *News}
    if declared.message in taken:
        raise InvalidRules(
            f"trigger({declared.path!r}): {declared.message!r} is a message of core's, give yours another name; "
            f"taken are {', '.join(sorted(taken))}"
        )
    return Message(declared.message, f"{declared.message}.sms")
