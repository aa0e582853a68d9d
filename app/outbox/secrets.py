"""Erasing a trigger's one-time codes and passwords once nothing can need them any more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, and_, bindparam, exists, or_, update

from app.database.clock import now
from app.database.tables import deliveries, triggers
from app.outbox.schedule import DAY
from app.outbox.states import State

# A dead letter can be retried by hand, and then needs its password; but not for ever.
KEPT_FOR_DEAD_LETTERS = 7 * DAY


def erase(connection: Connection, trigger_ids: Collection[str] | None = None) -> int:
    """Erase the secrets of those of the triggers, or of all, whose deliveries have all ended. Returns how many.

    A failed delivery has ended when it is past its life, or a week after it failed.
    """
    if trigger_ids is None:
        return connection.execute(_ERASE).rowcount
    return connection.execute(_ERASE_OF_THESE, {"ids": list(trigger_ids)}).rowcount


_REPLAYABLE = and_(
    deliveries.c.state == State.FAILED,
    or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > now()),
    deliveries.c.ended_at > now() - KEPT_FOR_DEAD_LETTERS,
)
_NEEDED = exists().where(
    deliveries.c.trigger_id == triggers.c.id,
    or_(deliveries.c.state.in_([State.QUEUED, State.SENDING]), _REPLAYABLE),
)
_ERASE = update(triggers).where(triggers.c.secrets.is_not(None), ~_NEEDED).values(secrets=None, erased_at=now())
_ERASE_OF_THESE = _ERASE.where(triggers.c.id.in_(bindparam("ids", expanding=True)))
