"""What is owed, in the database: adding, finding what is due, claiming, settling. Every function runs in the caller's
transaction and knows nothing of sending.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Row,
    Text,
    bindparam,
    case,
    exists,
    literal,
    literal_column,
    null,
    or_,
    select,
    union_all,
    update,
)

from app.cleaning import clean
from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import attempts, deliveries, destinations, triggers
from app.encryption import Cipher
from app.outbox.delivery import NewDelivery
from app.outbox.schedule import schedule_of
from app.outbox.states import Priority, State

LEASE = 15.0  # seconds that a worker has to renew or settle what it claimed


def state_is(state: State) -> ColumnElement[bool]:
    """The state as a literal, since a partial index is only used where the planner can read its condition."""
    return deliveries.c.state == literal_column(f"'{state}'")


@dataclass(frozen=True)
class Lane:
    """One destination's due deliveries of one priority.

    `failures` counts those in a row; `rate` is how many a second it may get at most, None for as many as it takes.
    """

    destination: str
    priority: Priority
    failures: int
    rate: float | None = None


@dataclass(frozen=True)
class Claim:
    """A delivery that this worker holds, still encrypted. `attempt` is the fence: whoever claims next has a higher one.

    `delivery` and `trigger` are their rows. Where they apply: `deadline` is the end of its life on this process's
    monotonic clock, `gives_up_in` the seconds that there are for more tries.
    """

    id: str
    attempt: int
    lane: Lane
    delivery: Row[Any]
    trigger: Row[Any]
    deadline: float | None
    gives_up_in: float | None

    @property
    def fence(self) -> tuple[str, int]:
        """What this claim is and no other."""
        return self.id, self.attempt

    @property
    def is_expired(self) -> bool:
        """Whether it is past its life."""
        return self.deadline is not None and time.monotonic() >= self.deadline


_EXPIRES_IN = (deliveries.c.expires_at - now()).label("expires_in")
_GIVES_UP_IN = (deliveries.c.give_up_at - now()).label("gives_up_in")


def add(connection: Connection, database: Database, cipher: Cipher, owed: Sequence[tuple[str, NewDelivery]]) -> None:
    """Owe these too, each to the trigger whose id is beside it. What is already owed under its key is left as it is."""
    if not owed:
        return
    register_destinations(connection, database, {item.destination for _, item in owed if item.state is State.QUEUED})
    statement = database.insert(deliveries).values(_NEW_DELIVERY).on_conflict_do_nothing()
    connection.execute(
        statement,
        [
            {
                "new_id": new_id(),
                "owed_to": trigger_id,
                "new_key": item.key,
                "to_channel": item.channel,
                "to_destination": item.destination,
                "of_message": item.message,
                "about": item.subject,
                "masked": _column(item.recipient),
                "urgency": int(item.priority),
                "born": item.state,
                "because": _column(item.reason),
                "wait": item.due_in,
                "until": item.expires_at,
                "patience": schedule_of(item.priority).give_up_after if item.gives_up else None,
                "content": cipher.encrypt(item.payload) if item.payload is not None else None,
                "instead": cipher.encrypt(item.otherwise.as_json()) if item.otherwise is not None else None,
            }
            for trigger_id, item in owed
        ],
    )


def _column(text: str | None) -> str | None:
    """Text that a column of either database takes."""
    return None if text is None else clean(text)


_NEW_DELIVERY: dict[str, Any] = {
    "id": bindparam("new_id"),
    "trigger_id": bindparam("owed_to"),
    "key": bindparam("new_key"),
    "channel": bindparam("to_channel"),
    "destination": bindparam("to_destination"),
    "message": bindparam("of_message"),
    "subject": bindparam("about"),
    "recipient": bindparam("masked"),
    "priority": bindparam("urgency"),
    "state": bindparam("born"),
    "reason": bindparam("because"),
    "created_at": now(),
    "due_at": now() + bindparam("wait", type_=Double),
    "expires_at": bindparam("until", type_=Double),
    "give_up_at": now() + bindparam("patience", type_=Double),
    "ended_at": case((bindparam("born", type_=Text) == State.QUEUED, null()), else_=now()),
    "payload": bindparam("content"),
    "otherwise": bindparam("instead"),
}


def register_destinations(connection: Connection, database: Database, names: set[str]) -> None:
    """Make the destinations known, so that their lanes are looked at."""
    if not names:
        return
    insert = database.insert(destinations).on_conflict_do_nothing()
    connection.execute(insert, [{"name": name} for name in sorted(names)])


def lanes(connection: Connection) -> list[Lane]:
    """Where something is due and may be tried."""
    found = connection.execute(_LANES)
    return [Lane(name, Priority(priority), failures, rate) for name, priority, failures, rate in found]


_LANES = union_all(
    *(
        select(
            destinations.c.name,
            literal(int(priority), Integer).label("priority"),
            destinations.c.failures,
            destinations.c.rate,
        ).where(
            destinations.c.paused.is_(False),
            or_(destinations.c.open_until.is_(None), destinations.c.open_until <= now()),
            or_(destinations.c.next_at.is_(None), destinations.c.next_at <= now()),
            exists().where(
                state_is(State.QUEUED),
                deliveries.c.destination == destinations.c.name,
                deliveries.c.priority == int(priority),
                deliveries.c.due_at <= now(),
            ),
        )
        for priority in Priority
    )
)


def claim(connection: Connection, lane: Lane, limit: int) -> list[Claim]:
    """Take up to `limit` of the lane for LEASE seconds; two workers never take the same.

    Never waits for another worker: a destination with a rate is left to the worker that is claiming from it.
    """
    if lane.rate is not None:
        if connection.execute(_LOCK_RATE, {"of": lane.destination}).first() is None:
            return []
        limit = min(limit, max(1, int(lane.rate)))
    claimed = connection.execute(
        _CLAIM, {"of": lane.destination, "urgency": int(lane.priority), "most": limit, "lease": LEASE}
    ).all()
    if lane.rate is not None:
        connection.execute(_WAIT, {"of": lane.destination, "pause": len(claimed) / lane.rate})
    origins = {row.id: row for row in connection.execute(_ORIGINS, {"ids": list({row.trigger_id for row in claimed})})}
    return [
        Claim(row.id, row.attempts, lane, row, origins[row.trigger_id], _deadline(row.expires_in), row.gives_up_in)
        for row in sorted(claimed, key=lambda row: row.due_at)
    ]


_DUE = (
    select(deliveries.c.id)
    .where(
        state_is(State.QUEUED),
        deliveries.c.destination == bindparam("of"),
        deliveries.c.priority == bindparam("urgency"),
        deliveries.c.due_at <= now(),
    )
    .order_by(deliveries.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.id.in_(select(_DUE.c.id)))
    .values(
        state=State.SENDING,
        attempts=deliveries.c.attempts + 1,
        lease_until=now() + bindparam("lease", type_=Double),
    )
    .returning(deliveries, _EXPIRES_IN, _GIVES_UP_IN)
)
# Looked at again under the lock: another worker may have claimed since the lanes were read.
_LOCK_RATE = (
    select(destinations.c.name)
    .where(
        destinations.c.name == bindparam("of"),
        or_(destinations.c.next_at.is_(None), destinations.c.next_at <= now()),
    )
    .with_for_update(skip_locked=True)
)
_WAIT = (
    update(destinations)
    .where(destinations.c.name == bindparam("of"))
    .values(
        next_at=case((destinations.c.next_at > now(), destinations.c.next_at), else_=now())
        + bindparam("pause", type_=Double)
    )
)
_ORIGINS = select(triggers).where(triggers.c.id.in_(bindparam("ids", expanding=True)))


def _deadline(expires_in: float | None) -> float | None:
    return None if expires_in is None else time.monotonic() + expires_in


def still_held(connection: Connection, claims: Sequence[Claim]) -> set[str]:
    """The ids of those that no other worker has taken over, locked until the transaction ends."""
    found = connection.execute(_STILL_HELD, {"ids": [taken.id for taken in claims]})
    fences = {row.id: row.attempts for row in found}
    return {taken.id for taken in claims if fences.get(taken.id) == taken.attempt}


_STILL_HELD = (
    select(deliveries.c.id, deliveries.c.attempts)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)), state_is(State.SENDING))
    .order_by(deliveries.c.id)
    .with_for_update()
)


def end_try(connection: Connection, ends: Sequence[dict[str, Any]]) -> None:
    """Write the new state of deliveries that are still held.

    Of each: held (its id), becomes, because, provider, ended (has it?), pause (seconds until it is due).
    """
    if ends:
        connection.execute(_END_TRY, ends)


_END_TRY = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("held"))
    .values(
        state=bindparam("becomes"),
        reason=bindparam("because"),
        provider_id=bindparam("provider"),
        lease_until=null(),
        due_at=now() + bindparam("pause", type_=Double),
        ended_at=case((bindparam("ended", type_=Boolean), now()), else_=null()),
    )
)


def record_attempts(connection: Connection, database: Database, tries: Sequence[dict[str, Any]]) -> None:
    """Keep what came of each try, once: held (the delivery's id), fence (its number), took, outcome, answer."""
    statement = database.insert(attempts).values(
        delivery_id=bindparam("held"),
        number=bindparam("fence"),
        started_at=now() - bindparam("took", type_=Double),
        duration=bindparam("took", type_=Double),
        outcome=bindparam("came"),
        answer=bindparam("said"),
    )
    connection.execute(statement.on_conflict_do_nothing(), tries)
