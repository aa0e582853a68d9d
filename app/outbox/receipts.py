"""Receipts: a provider tells later whether what it took has arrived.

A receipt names its delivery, and may come before the worker has written down that the provider took it. It then settles
the delivery in the worker's place, and the worker finds that it has lost it: no receipt has to wait for anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, and_, or_, select, update

from app.cleaning import clean
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.outbox import secrets, store
from app.outbox.delivery import NewDelivery
from app.outbox.leases import IS_PAST_ITS_LIFE
from app.outbox.states import State

log = structlog.get_logger()

_LONGEST_REASON = 500


@dataclass(frozen=True)
class Receipt:
    """What a provider says of a message: `state` is DELIVERED or FAILED, or SENT while it is on its way.

    `provider_id` is the provider's name for the message, so that one sent twice can be told apart; `reason` is masked.
    """

    delivery_id: str
    provider_id: str
    state: State
    reason: str | None = None


def take(database: Database, cipher: Cipher, channel: str, receipt: Receipt) -> bool:
    """Write down what became of a delivery of this channel. Returns whether there is one that was ever tried.

    What has arrived is delivered, whatever was thought of it before; only what was dropped stays so. A failure counts
    for the message that was sent last, once, and what is owed in its place is owed. Raises DatabaseAway.
    """
    if not receipt.delivery_id.isprintable():  # PostgreSQL refuses even to compare with U+0000
        return False
    is_meant = and_(deliveries.c.id == receipt.delivery_id, deliveries.c.channel == channel, deliveries.c.attempts > 0)
    if receipt.state in (State.DELIVERED, State.FAILED) and _settled(database, cipher, channel, receipt, is_meant):
        return True
    with database.reading() as connection:
        return connection.execute(select(deliveries.c.id).where(is_meant)).first() is not None


def _settled(database: Database, cipher: Cipher, channel: str, receipt: Receipt, is_meant: ColumnElement[bool]) -> bool:
    """Whether the receipt changed anything."""
    reason = clean(receipt.reason or "")[:_LONGEST_REASON] or None
    with database.transaction() as connection:
        row = connection.execute(
            update(deliveries)
            .where(is_meant, _IS_OPEN if receipt.state is State.DELIVERED else _awaits(clean(receipt.provider_id)))
            .values(
                state=receipt.state,
                reason=reason,
                provider_id=clean(receipt.provider_id),
                lease_until=None,
                ended_at=now(),
            )
            .returning(deliveries.c.trigger_id, deliveries.c.otherwise, IS_PAST_ITS_LIFE)
        ).one_or_none()
        if row is None:
            return False
        trigger_id = row.trigger_id
        if receipt.state is State.FAILED and row.otherwise is not None and not row.is_past_its_life:
            instead = NewDelivery.from_json(cipher.decrypt(row.otherwise))
            store.add(connection, database, cipher, [(trigger_id, instead)])
        secrets.erase(connection, {trigger_id})
        request_id = connection.execute(select(triggers.c.request_id).where(triggers.c.id == trigger_id)).scalar_one()
    facts = {"delivery_id": receipt.delivery_id, "trigger_id": trigger_id, "request_id": request_id, "channel": channel}
    if receipt.state is State.FAILED:
        log.error("delivery.failed", **facts, reason=reason)
    else:
        log.info("delivery.ended", **facts, state=receipt.state)
    return True


_IS_OPEN = deliveries.c.state.in_([State.QUEUED, State.SENDING, State.SENT, State.FAILED])


def _awaits(provider_id: str) -> ColumnElement[bool]:
    """Whether a failure of the message with this name is one of the delivery's.

    What is being sent has no name yet, or still that of a message which failed before an operator had it sent again.
    """
    state, known_as = deliveries.c.state, deliveries.c.provider_id
    return or_(
        and_(state == State.SENT, or_(known_as.is_(None), known_as == provider_id)),
        and_(state == State.SENDING, or_(known_as.is_(None), known_as != provider_id)),
    )
