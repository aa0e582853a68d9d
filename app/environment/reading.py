"""Reading the environment, and what does not go together in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from marshmallow import ValidationError

from app.environment.domains import DOMAIN, MAILBOX, ascii_domain
from app.environment.values import AppEnv, InvalidSettings
from app.environment.variables import METHODS, Environment

# What is set together, or not at all.
_TOGETHER = (
    (("SMTP_USERNAME", "SMTP_PASSWORD"), "The mail server is logged in to with both, or with neither."),
    (("DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_PRIVATE_KEY_FILE"), "Mails are signed with all three, or not at all."),
    (("SYSTEM_CLIENT_ID", "SYSTEM_CLIENT_SECRET"), "Core knows this server by both, or by neither."),
)


def names() -> frozenset[str]:
    """Of all variables that are read."""
    return frozenset(Environment().fields)


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """The values by the names of their variables, those that are absent with their defaults.

    Raises InvalidSettings with every problem at once.
    """
    problems = []
    try:
        values: dict[str, Any] = Environment().load(environ)
    except ValidationError as error:
        messages = cast("dict[str, list[str]]", error.messages)
        problems = [f"{name}: {' '.join(said)}" for name, said in messages.items()]
        values = Environment().load({}) | dict.fromkeys(messages, "wrong") | error.valid_data
    problems += _half_given(values)
    problems += _signed_for_another(values)
    problems += _shared_clients(values)
    if values["APP_ENV"] is AppEnv.PRODUCTION:
        problems += _missing_in_production(values)
    if problems:
        raise InvalidSettings(problems)
    return values


def _half_given(values: Mapping[str, Any]) -> list[str]:
    problems = []
    for together, why in _TOGETHER:
        given = [name for name in together if values[name]]
        if given and len(given) < len(together):
            problems += [f"{name}: missing, while {given[0]} is set. {why}" for name in together if not values[name]]
    return problems


def _signed_for_another(values: Mapping[str, Any]) -> list[str]:
    """What is signed for a domain that has nothing to do with its sender's fails DMARC (RFC 7489 section 3.1.1)."""
    sender = MAILBOX.fullmatch(values["SENDER_EMAIL_ADDRESS"] or "")
    signed_for = values["DKIM_DOMAIN"] or ""
    if sender is None or DOMAIN.fullmatch(signed_for) is None:
        return []
    domain = ascii_domain(sender["named"] or sender["bare"])
    if f".{domain}".endswith(f".{signed_for}"):
        return []
    why = f"neither the domain of SENDER_EMAIL_ADDRESS, {domain}, nor a parent of it"
    cure = f"receivers find no signature of the sender's (DMARC). Set it to {domain}, or send from {signed_for}."
    return [f"DKIM_DOMAIN: {signed_for} is {why}, so that {cure}"]


def _shared_clients(values: Mapping[str, Any]) -> list[str]:
    """Core gives a client id to one integration only, and this server leaves a name alone that is there already."""
    integrations = values["INTEGRATIONS"]
    if not isinstance(integrations, tuple):
        return []
    client_ids = [integration.credentials.client_id for integration in integrations if integration.credentials]
    problems = []
    if values["SYSTEM_CLIENT_ID"]:
        client_ids.append(values["SYSTEM_CLIENT_ID"])
        if values["SYSTEM_CLIENT_NAME"] in {integration.name for integration in integrations}:
            problems.append("SYSTEM_CLIENT_NAME: also in INTEGRATIONS. Give this server a name of its own at core.")
    if len(set(client_ids)) != len(client_ids):
        problems.append("INTEGRATIONS: uses a clientId twice. Each integration, and this server, needs its own.")
    return problems


def _missing_in_production(values: Mapping[str, Any]) -> list[str]:
    problems = []
    methods = {method for name in METHODS for method in values[name]}
    if not values["SECRET_KEY"]:
        problems.append(
            "SECRET_KEY: missing. It encrypts what is kept; make one with: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    if not values["AUTH_URL"]:
        problems.append(
            "AUTH_URL: missing. It is the address of core's auth service, whose key verifies core's "
            "tokens, e.g. http://auth:4040"
        )
    if not values["DOMAIN"]:
        problems.append("DOMAIN: missing. It is the right side of every Message-ID, e.g. registry.example")
    if not values["LOGIN_URL"]:
        problems.append("LOGIN_URL: missing. Messages link to it, e.g. https://login.registry.example")
    if not values["SENDER_EMAIL_ADDRESS"]:
        problems.append("SENDER_EMAIL_ADDRESS: missing. It is the From address of every message.")
    if "email" in methods and not values["SMTP_HOST"]:
        problems.append(f"SMTP_HOST: missing, while {' or '.join(METHODS)} sends by email.")
    provider = values["SMS_PROVIDER"] or ("infobip" if values["INFOBIP_API_KEY"] else None)
    if provider == "inbox" or ("sms" in methods and provider is None):
        problems.append(
            f"SMS_PROVIDER: none that sends for real, while {', '.join(METHODS)} or "
            "SMS_PROVIDER asks for sms: twilio, infobip or http. Or take sms out of the methods."
        )
    elif "sms" in methods and not values["PHONE_REGION"]:
        problems.append(
            "PHONE_REGION: missing, while SMS are sent. It is the country whose numbers are written without its code, "
            "e.g. ZM."
        )
    return problems
