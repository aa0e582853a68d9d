"""Writing down what we were told: a trigger, and the `plan` delivery that all it owes will come from.

Statements for app.database.inserts, and the values for them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, bindparam, insert, literal_column, select

from app.database.clock import now
from app.database.identifiers import new_id
from app.database.tables import deliveries, triggers
from app.outbox.places import PLAN
from app.outbox.schedule import schedule_of
from app.outbox.states import Priority, State

INSERT_TRIGGER = insert(triggers).values(
    id=bindparam("trigger_id"),
    path=bindparam("path"),
    received_at=now(),
    request_id=bindparam("request_id"),
    fingerprint=bindparam("fingerprint"),
    payload=bindparam("payload"),
    secrets=bindparam("secrets"),
)
IS_KEPT = select(triggers.c.id).where(triggers.c.id == bindparam("trigger_id"))
INSERT_PLAN = insert(deliveries).values(
    id=bindparam("plan_id"),
    trigger_id=bindparam("trigger_id"),
    key=literal_column(f"'{PLAN}'"),
    channel=literal_column(f"'{PLAN}'"),
    destination=literal_column(f"'{PLAN}'"),
    priority=bindparam("priority"),
    state=literal_column(f"'{State.QUEUED}'"),
    created_at=now(),
    due_at=now() + bindparam("plan_after", type_=Double),
    give_up_at=now() + literal_column(str(schedule_of(Priority.TRANSACTIONAL).give_up_after), Double),
)


def values(
    *,
    path: str,
    request_id: str,
    payload: bytes,
    secrets: bytes | None = None,
    fingerprint: str | None = None,
    priority: Priority = Priority.TRANSACTIONAL,
    plan_after: float = 0.0,
) -> dict[str, Any]:
    """The values of both statements, with a new `trigger_id` among them. `plan_after` is in seconds."""
    return {
        "trigger_id": new_id(),
        "plan_id": new_id(),
        "path": path,
        "request_id": request_id,
        "payload": payload,
        "secrets": secrets,
        "fingerprint": fingerprint,
        "priority": int(priority),
        "plan_after": plan_after,
    }
