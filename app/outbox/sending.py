"""One try of one delivery: decrypt it, hand it to its channel's sender, and take whatever comes back."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import structlog

from app.encryption import Cipher, UnknownKey
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sender, Sent, Trigger
from app.outbox.settling import Finished
from app.outbox.states import Priority, Reason
from app.outbox.store import Claim

log = structlog.get_logger()

_SHORTEST_SECRET = 4  # a shorter one stands in many an innocent answer


def attempt(taken: Claim, cipher: Cipher, senders: Mapping[str, Sender]) -> Finished:
    """Try it now. Never raises: a sender's own error is an outcome too, tried again, and logged with its place."""
    started = time.monotonic()
    with structlog.contextvars.bound_contextvars(request_id=taken.trigger.request_id, delivery_id=taken.id):
        try:
            secrets = cipher.decrypt(taken.trigger.secrets) if taken.trigger.secrets is not None else {}
            delivery = _decrypted(taken, cipher, secrets)
            outcome: Outcome = Dropped(Reason.EXPIRED) if delivery.expired else senders[delivery.channel](delivery)
            outcome = _without(outcome, [value for value in secrets.values() if isinstance(value, str)])
        except UnknownKey as error:
            outcome = Retry(answer=str(error))
        except Exception as error:  # whatever a sender raises, the delivery must not be lost
            log.exception("delivery.crashed", channel=taken.delivery.channel)
            outcome = Retry(answer=f"the sender of {taken.delivery.channel} crashed: {type(error).__name__}")
    return Finished(taken, outcome, time.monotonic() - started)


def _without(outcome: Outcome, secrets: Sequence[str]) -> Outcome:
    """The outcome, its texts without the trigger's codes, passwords and tokens: a provider may repeat the message."""

    def hidden(text: str) -> str:
        for secret in secrets:
            if len(secret) >= _SHORTEST_SECRET:
                in_link = quote(secret, safe="", errors="replace")
                text = text.replace(secret, "***").replace(in_link, "***")
        return text

    match outcome:
        case Failed(reason=reason, answer=answer):
            return replace(outcome, reason=hidden(reason), answer=hidden(answer))
        case Sent(answer=answer) | Retry(answer=answer):
            return replace(outcome, answer=hidden(answer))
        case Dropped():
            return outcome


def _decrypted(taken: Claim, cipher: Cipher, secrets: Mapping[str, Any]) -> Delivery:
    row, origin = taken.delivery, taken.trigger
    payload = cipher.decrypt(origin.payload)
    if secrets:
        payload |= secrets
    return Delivery(
        id=row.id,
        key=row.key,
        channel=row.channel,
        destination=row.destination,
        message=row.message,
        priority=Priority(row.priority),
        attempt=taken.attempt,
        payload=cipher.decrypt(row.payload) if row.payload is not None else {},
        trigger=Trigger(
            id=origin.id,
            path=origin.path,
            received_at=origin.received_at,
            request_id=origin.request_id,
            fingerprint=origin.fingerprint,
            payload=payload,
        ),
        subject=row.subject,
        expires_at=row.expires_at,
        deadline=taken.deadline,
    )
