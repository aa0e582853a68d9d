"""What an operator does with the outbox: look, retry, cancel, pause, resume.

What is changed is kept in the audit: `by` an author, or the operator of this process where none is named.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    and_,
    case,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from app.database import audit
from app.database.audit import Author, What
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import attempts, deliveries, destinations, triggers
from app.outbox import secrets
from app.outbox.schedule import schedule_of
from app.outbox.states import Priority, Reason, State
from app.outbox.store import state_is
from app.outbox.worker import PLANNING

Report = Callable[[int, int], None]

_BATCH = 1_000  # deliveries
_BREATH = 0.02  # seconds between batches: on SQLite, those who wait for the write lock look for it only now and then
_RETRIED = (State.QUEUED, State.FAILED)  # in this order: what failed is queued afterwards


@dataclass(frozen=True)
class Shown:
    """One delivery, its trigger and its attempts, as rows; nothing in them is in clear."""

    delivery: Row[Any]
    trigger: Row[Any]
    attempts: Sequence[Row[Any]]


@dataclass(frozen=True)
class Change:
    """How many were changed, why others were not, and which of their destinations are paused."""

    count: int
    refused: dict[str, str]
    still_paused: tuple[str, ...] = ()


def newest(database: Database, states: Collection[State], limit: int) -> Sequence[Row[Any]]:
    """The newest deliveries in these states (all states where none is given), planning only where it has trouble."""
    statement = select(deliveries).where(~_PLANNED).limit(limit)
    with database.reading() as connection:
        if not states:
            return connection.execute(statement.order_by(deliveries.c.id.desc())).all()
        # A page of each state, since an index has the order of one state only.
        by_age = statement.order_by(deliveries.c.created_at.desc())
        rows = [row for state in states for row in connection.execute(by_age.where(state_is(state)))]
    return sorted(rows, key=lambda row: float(row.created_at), reverse=True)[:limit]


def counts(database: Database) -> dict[str, int]:
    """How many deliveries there are in each state that has not ended, or can be retried."""
    with database.reading() as connection:
        found = connection.execute(
            select(deliveries.c.state, func.count().label("number"))
            .where(deliveries.c.state.in_([State.QUEUED, State.SENDING, State.FAILED]))
            .group_by(deliveries.c.state)
        )
        return {row.state: row.number for row in found}


def troubled(database: Database) -> Sequence[Row[Any]]:
    """The destinations that are paused, or failing; `open_for` is the seconds for which the circuit stays open."""
    with database.reading() as connection:
        return connection.execute(
            select(destinations, (destinations.c.open_until - now()).label("open_for")).where(
                or_(destinations.c.paused.is_(True), destinations.c.failures > 0)
            )
        ).all()


def show(database: Database, delivery_id: str) -> Shown | None:
    """One delivery with its history; None where there is none with this id."""
    with database.reading() as connection:
        row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
        if row is None:
            return None
        origin = connection.execute(select(triggers).where(triggers.c.id == row.trigger_id)).one()
        tries = connection.execute(
            select(attempts).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
        ).all()
        return Shown(row, origin, tries)


def retry(
    database: Database, ids: Collection[str] | None, by: Author | None = None, report: Report | None = None
) -> Change:
    """Make these, or all, due now: what waits, what failed, and what sits behind an open circuit.

    Of all, not what failed and went another way, so that nobody gets it twice. What is being sent, or has ended
    otherwise, is left alone, as is what could only be sent without its erased password, and what has no address that
    could be sent to. A paused destination stays paused. All are done in batches, each in its own transaction, and
    `report` is called after each with how many were looked at, and how many there are.
    """
    author = by or audit.operator()
    if ids is None:
        return _retry_all(database, author, report)
    with database.transaction() as connection:
        changed = _make_due(connection, deliveries.c.id.in_(ids))
        audit.record(connection, author, What.OUTBOX_RETRY, [row.id for row in changed])
        names = {row.destination for row in changed}
        _close_circuits(connection, names)
        refused = _why_not(connection, set(ids) - {row.id for row in changed})
        return Change(len(changed), refused, _paused(connection, names))


def _retry_all(database: Database, author: Author, report: Report | None) -> Change:
    with database.reading() as connection:
        until = connection.execute(select(now())).scalar_one()
        total = connection.scalar(select(func.count()).where(deliveries.c.state.in_(_RETRIED))) or 0
    looked_at = changed = 0
    names: set[str] = set()
    for state in _RETRIED:
        after = (float("-inf"), "")
        while True:
            with database.transaction() as connection:
                page = _page(connection, state, after, until)
                rows = _make_due(connection, and_(deliveries.c.id.in_([row.id for row in page]), ~_WENT_ANOTHER_WAY))
                if rows and not changed:
                    audit.record(connection, author, What.OUTBOX_RETRY, ["all"])
                _close_circuits(connection, {row.destination for row in rows} - names)
            names |= {row.destination for row in rows}
            changed += len(rows)
            looked_at += len(page)
            if report is not None:
                report(looked_at, max(total, looked_at))
            if len(page) < _BATCH:
                break
            after = (page[-1].created_at, page[-1].id)
            time.sleep(_BREATH)
    with database.reading() as connection:
        return Change(changed, {}, _paused(connection, names))


def _page(connection: Connection, state: State, after: tuple[float, str], until: float) -> Sequence[Row[Any, Any]]:
    """The next deliveries of a state, in the order of their index."""
    created_at, last_id = after
    statement = (
        select(deliveries.c.id, deliveries.c.created_at)
        .where(
            state_is(state),
            deliveries.c.created_at >= created_at,
            deliveries.c.created_at <= until,
            or_(deliveries.c.created_at > created_at, deliveries.c.id > last_id),
        )
        .order_by(deliveries.c.created_at, deliveries.c.id)
        .limit(_BATCH)
    )
    return connection.execute(statement).all()


def _make_due(connection: Connection, chosen: ColumnElement[bool]) -> Sequence[Row[Any]]:
    return connection.execute(
        update(deliveries)
        .where(
            chosen,
            deliveries.c.state.in_(_RETRIED),
            or_(
                deliveries.c.channel.in_(secrets.WITHOUT_SECRETS),
                _ERASED_AT.is_(None),
            ),
            ~_NEVER_SENDABLE,
        )
        .values(
            state=State.QUEUED,
            due_at=now(),
            give_up_at=case((deliveries.c.give_up_at.is_(None), null()), else_=now() + _PATIENCE),
            ended_at=null(),
            reason=null(),
        )
        .returning(deliveries.c.id, deliveries.c.destination)
    ).all()


def _close_circuits(connection: Connection, names: Collection[str]) -> None:
    """One by one in the order that the worker has too, so that they never deadlock."""
    for name in sorted(names):
        connection.execute(
            update(destinations)
            .where(
                destinations.c.name == name, or_(destinations.c.failures > 0, destinations.c.open_until.is_not(None))
            )
            .values(failures=0, open_until=None)
        )


def _paused(connection: Connection, names: Collection[str]) -> tuple[str, ...]:
    paused = select(destinations.c.name).where(destinations.c.paused.is_(True))
    return tuple(sorted(set(connection.scalars(paused)) & set(names)))


def cancel(database: Database, ids: Collection[str], by: Author | None = None) -> Change:
    """Drop what waits or has failed, for good; its codes and passwords are erased."""
    with database.transaction() as connection:
        done = connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_(ids), deliveries.c.state.in_([State.QUEUED, State.FAILED]))
            .values(state=State.DROPPED, reason=Reason.CANCELLED, ended_at=now())
            .returning(deliveries.c.id, deliveries.c.trigger_id)
        ).all()
        audit.record(connection, by or audit.operator(), What.OUTBOX_CANCEL, [row.id for row in done])
        secrets.erase(connection, {row.trigger_id for row in done})
        return Change(len(done), _why_not(connection, set(ids) - {row.id for row in done}))


def set_paused(database: Database, destination: str, paused: bool, by: Author | None = None) -> bool:
    """Pause or resume a destination. False where nothing has ever been owed to one of this name."""
    with database.transaction() as connection:
        changed = connection.execute(
            update(destinations).where(destinations.c.name == destination).values(paused=paused)
        )
        if changed.rowcount == 1:
            what = What.OUTBOX_PAUSE if paused else What.OUTBOX_RESUME
            audit.record(connection, by or audit.operator(), what, [destination])
        return changed.rowcount == 1


def known_destinations(database: Database) -> list[str]:
    """All names that `set_paused` takes."""
    with database.reading() as connection:
        return list(connection.scalars(select(destinations.c.name).order_by(destinations.c.name)))


# By the trigger's key, one by one: PostgreSQL makes a hash of all triggers out of an EXISTS beside an OR.
_ERASED_AT = select(triggers.c.erased_at).where(triggers.c.id == deliveries.c.trigger_id).scalar_subquery()
_PATIENCE = case(
    *(
        (deliveries.c.priority == int(priority), literal(schedule_of(priority).give_up_after, Double))
        for priority in Priority
    )
)
# Failed when it was planned: there is no address to send it to.
_NEVER_SENDABLE = and_(deliveries.c.state == State.FAILED, deliveries.c.attempts == 0, deliveries.c.payload.is_(None))

# An SMS was owed in the place of the e-mail.
_WENT_ANOTHER_WAY = and_(deliveries.c.state == State.FAILED, deliveries.c.otherwise.is_not(None))
_PLANNED = and_(deliveries.c.channel.in_(PLANNING), deliveries.c.state == State.SENT)


def _why_not(connection: Connection, ids: set[str]) -> dict[str, str]:
    found = connection.execute(
        select(deliveries.c.id, deliveries.c.state, _NEVER_SENDABLE.label("never")).where(deliveries.c.id.in_(ids))
    )
    reasons = {row.id: "its address cannot be sent to" if row.never else _REASONS[State(row.state)] for row in found}
    return {delivery_id: reasons.get(delivery_id, "there is none with this id") for delivery_id in sorted(ids)}


_ERASED = "its code or password is erased, so it cannot be sent any more"
_REASONS = {
    State.SENDING: "it is being sent",
    State.SENT: "it was sent",
    State.DELIVERED: "it was delivered",
    State.DROPPED: "it was dropped on purpose",
    State.FAILED: _ERASED,
    State.QUEUED: _ERASED,
}
