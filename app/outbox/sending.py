"""One try of one delivery: decrypt it, hand it to its channel's sender, and take whatever comes back."""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog

from app.encryption import Cipher, UnknownKey
from app.outbox.delivery import Delivery, Dropped, Outcome, Retry, Sender, Trigger
from app.outbox.settling import Finished
from app.outbox.states import Priority, Reason
from app.outbox.store import Claim

log = structlog.get_logger()


def attempt(taken: Claim, cipher: Cipher, senders: Mapping[str, Sender]) -> Finished:
    """Try it now. Never raises: a sender's own error is an outcome too, tried again, and logged with its place."""
    started = time.monotonic()
    with structlog.contextvars.bound_contextvars(request_id=taken.trigger.request_id, delivery_id=taken.id):
        try:
            delivery = _decrypted(taken, cipher)
            outcome: Outcome = Dropped(Reason.EXPIRED) if delivery.expired else senders[delivery.channel](delivery)
        except UnknownKey as error:
            outcome = Retry(answer=str(error))
        except Exception as error:  # whatever a sender raises, the delivery must not be lost
            log.exception("delivery.crashed", channel=taken.delivery.channel)
            outcome = Retry(answer=f"the sender of {taken.delivery.channel} crashed: {type(error).__name__}")
    return Finished(taken, outcome, time.monotonic() - started)


def _decrypted(taken: Claim, cipher: Cipher) -> Delivery:
    row, origin = taken.delivery, taken.trigger
    payload = cipher.decrypt(origin.payload)
    if origin.secrets is not None:
        payload |= cipher.decrypt(origin.secrets)
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
        expires_at=row.expires_at,
        deadline=time.monotonic() + taken.expires_in if taken.expires_in is not None else None,
    )
