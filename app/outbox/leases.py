"""What time does to deliveries: leases that are renewed or lost, and lives that end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, Double, Row, bindparam, exists, func, literal, or_, select, update

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import attempts, deliveries
from app.encryption import Cipher, UnknownKey
from app.outbox import store
from app.outbox.delivery import NewDelivery
from app.outbox.schedule import schedule_of
from app.outbox.states import Priority, Reason, State
from app.outbox.store import LEASE, Claim, state_is

log = structlog.get_logger()

IS_PAST_ITS_LIFE = func.coalesce(deliveries.c.expires_at <= now(), False).label("is_past_its_life")


def renew(connection: Connection, held: Sequence[Claim]) -> None:
    """Keep what is still being sent for another LEASE seconds."""
    if held:
        connection.execute(_RENEW, [{"held": taken.id, "fence": taken.attempt, "lease": LEASE} for taken in held])


_RENEW = (
    update(deliveries)
    .where(
        deliveries.c.id == bindparam("held"),
        deliveries.c.attempts == bindparam("fence"),
        state_is(State.SENDING),
    )
    .values(lease_until=now() + bindparam("lease", type_=Double))
)


def something_overdue(connection: Connection) -> bool:
    """Whether `drop_expired` or `requeue_lost` has something to do."""
    expired = exists().where(state_is(State.QUEUED), deliveries.c.expires_at <= now())
    lost = exists().where(state_is(State.SENDING), deliveries.c.lease_until < now())
    return bool(connection.scalar(select(or_(expired, lost))))


def drop_expired(connection: Connection) -> list[str]:
    """Drop what waited past its life, behind an open circuit or a pause too. Returns the triggers concerned."""
    dropped = connection.execute(
        update(deliveries)
        .where(state_is(State.QUEUED), deliveries.c.expires_at.is_not(None), deliveries.c.expires_at <= now())
        .values(state=State.DROPPED, reason=Reason.EXPIRED, ended_at=now())
        .returning(deliveries.c.trigger_id)
    )
    return list(dropped.scalars())


def requeue_lost(connection: Connection, database: Database, cipher: Cipher, held: Collection[str] = ()) -> list[str]:
    """Make due again what a worker claimed and neither settled nor renewed. Returns the deliveries concerned.

    At once after the first loss; later with the pauses of a retry, in case the delivery is what kills the worker, and
    past its time for more tries no more: then what is owed in its place is owed. What is `held` by the caller is not
    lost.
    """
    lost = connection.execute(
        select(deliveries, _IS_GIVEN_UP, IS_PAST_ITS_LIFE)
        .where(state_is(State.SENDING), deliveries.c.lease_until < now(), deliveries.c.id.not_in(held))
        .order_by(deliveries.c.id)
        .with_for_update(skip_locked=True)
    ).all()
    for row in lost:
        pause = 0.0 if row.attempts == 1 else schedule_of(Priority(row.priority)).pause(row.attempts)
        again = {"state": State.QUEUED, "due_at": now() + literal(pause, Double)}
        given_up = {"state": State.FAILED, "reason": "tries used up: its worker stopped each time", "ended_at": now()}
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id == row.id)
            .values(lease_until=None, **(given_up if row.is_given_up else again))
        )
        connection.execute(
            database.insert(attempts)
            .values(
                delivery_id=row.id,
                number=row.attempts,
                started_at=now() - literal(LEASE, Double),
                outcome="lost",
                answer="The worker that held it stopped without a word",
            )
            .on_conflict_do_nothing()
        )
    replaced = ((row, _instead(row, cipher)) for row in lost if row.is_given_up and not row.is_past_its_life)
    store.add(connection, database, cipher, [(row.trigger_id, new) for row, new in replaced if new is not None])
    return [row.id for row in lost]


def _instead(row: Row[Any], cipher: Cipher) -> NewDelivery | None:
    if row.otherwise is None:
        return None
    try:
        return NewDelivery.from_json(cipher.decrypt(row.otherwise))
    except UnknownKey as error:  # it must not hold up all other deliveries
        log.error("delivery.not_replaced", delivery_id=row.id, trigger_id=row.trigger_id, reason=str(error))
        return None


_IS_GIVEN_UP = (deliveries.c.give_up_at <= now()).label("is_given_up")
