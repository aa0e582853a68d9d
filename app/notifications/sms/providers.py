"""The SMS providers by their names, as SMS_PROVIDER has them: ours, and those that a country brings itself."""

from __future__ import annotations

import re
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.environment.values import InvalidSettings
from app.notifications.inbox import Inbox
from app.notifications.sms.guarding import Own, guarded
from app.notifications.sms.inbox import inbox_provider
from app.notifications.sms.numbers import NotANumber, e164
from app.notifications.sms.receipts.addresses import ReceiptAddresses
from app.notifications.sms.sender import Provider
from app.outbox.delivery import Failed, Outcome

OURS = ("twilio", "infobip", "http", "inbox")
_NAME = re.compile(r"[a-z][a-z0-9_]*").fullmatch


def sms_provider(
    name: str,
    values: Mapping[str, Any],
    inbox: Inbox,
    country_dir: Path | None = None,
    receipts: ReceiptAddresses | None = None,
) -> Provider:
    """The provider of this name, made from `values`: the environment's variables by their names.

    A name that is not ours is a file in the country's `sms/`. `receipts` is None where none are wanted. Raises
    InvalidSettings.
    """
    if name == "inbox":
        return inbox_provider(inbox)
    return _only_e164(_made(name, values, country_dir, receipts))


def _made(
    name: str, values: Mapping[str, Any], country_dir: Path | None, receipts: ReceiptAddresses | None
) -> Provider:
    match name:
        case "twilio":
            from app.notifications.sms.twilio import twilio_account, twilio_provider

            can_check = bool(values.get("TWILIO_AUTH_TOKEN"))  # which receipts are signed with
            return twilio_provider(twilio_account(values), receipts.of_twilio if receipts and can_check else None)
        case "infobip":
            from app.notifications.sms.infobip import infobip_account, infobip_provider

            return infobip_provider(infobip_account(values), receipts.of_infobip if receipts else None)
        case "http":
            from app.notifications.sms.gateway import http_provider
            from app.notifications.sms.gateway_settings import http_gateway

            return http_provider(http_gateway(values))
    return _of_country(name, values, country_dir)


def _of_country(name: str, values: Mapping[str, Any], country_dir: Path | None) -> Provider:
    file = country_dir / "sms" / f"{name}.py" if country_dir is not None and _NAME(name) else None
    if file is None or not file.is_file():
        where = f"there is no {file}" if file is not None else "for one of your own, set COUNTRY_DIR"
        raise InvalidSettings([f"SMS_PROVIDER: knows {', '.join(OURS)}, not {name}; {where}"])
    try:
        made = runpy.run_path(str(file), run_name=name).get("provider", _no_provider)(values)
    except InvalidSettings:
        raise
    except Exception as error:
        raise InvalidSettings([f"SMS_PROVIDER: {file}: {type(error).__name__}: {error}"]) from error
    return guarded(name, made)


def _no_provider(_values: Mapping[str, Any]) -> Own:
    raise TypeError("it has no function provider(values)")


def _only_e164(provider: Provider) -> Provider:
    """A provider that is given nothing else: what it would take for a number may be another person's."""

    def send(number: str, text: str, delivery_id: str, life: float | None = None) -> Outcome:
        try:
            return provider(e164(number, None), text, delivery_id, life)
        except NotANumber as error:
            return Failed(str(error))

    return send
