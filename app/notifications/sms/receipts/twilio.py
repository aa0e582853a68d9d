"""Twilio's receipts: a signed form, posted at each change of a message's status.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status and, for the signature,
https://www.twilio.com/docs/usage/security#validating-requests
"""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from app.notifications.sms.receipts.addresses import Forged, NotAReceipt
from app.notifications.sms.twilio_errors import said
from app.outbox.receipts import Receipt
from app.outbox.states import State

_STATES = {
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "failed": State.FAILED,
    "undelivered": State.FAILED,
    "canceled": State.FAILED,
}


def read(delivery_id: str, url: str, form: MultiDict[str, str], signature: str, auth_token: str) -> Receipt:
    """The receipt for this delivery, which was posted to `url`: as Twilio was given it, behind whatever proxy we are.

    Raises Forged and NotAReceipt.
    """
    from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

    if not RequestValidator(auth_token).validate(url, form, signature):
        raise Forged("the signature is not Twilio's: are TWILIO_AUTH_TOKEN and the public URL of this server right?")
    status, message_id = form.get("MessageStatus", ""), form.get("MessageSid", "")
    if not status or not message_id:
        raise NotAReceipt("there is no MessageStatus or no MessageSid")
    state = _STATES.get(status, State.SENT)
    return Receipt(delivery_id, message_id, state, _reason(form) if state is State.FAILED else None)


def _reason(form: MultiDict[str, str]) -> str:
    code = form.get("ErrorCode", "")
    return f"not delivered. {said(int(code) if code.isdecimal() and len(code) < 7 else None)}"
