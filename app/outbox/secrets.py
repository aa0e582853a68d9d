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
# A receipt comes within hours, or never; one that says "failed" makes the next way owed, which needs the code.
AWAITED_FOR = DAY
WITH_RECEIPTS = ("sms",)
# Other systems are told of events for days where they are away, and never with a code in it.
WITHOUT_SECRETS = ("webhook", "publish")


def erase(connection: Connection, trigger_ids: Collection[str] | None = None) -> int:
    """Erase the secrets of those of the triggers, or of all, whose deliveries have all ended. Returns how many.

    A failed delivery has ended when it is past its life, or a week after it failed; one that was sent, and that another
    stands in for where its receipt says that it failed, when it is past its life, or after a day.
    """
    if trigger_ids is None:
        return connection.execute(_ERASE).rowcount
    return connection.execute(_ERASE_OF_THESE, {"ids": list(trigger_ids)}).rowcount


_IS_ALIVE = or_(deliveries.c.expires_at.is_(None), deliveries.c.expires_at > now())
_REPLAYABLE = and_(
    deliveries.c.state == State.FAILED,
    _IS_ALIVE,
    deliveries.c.ended_at > now() - KEPT_FOR_DEAD_LETTERS,
)
_REPLACEABLE = and_(
    deliveries.c.state == State.SENT,
    deliveries.c.channel.in_(WITH_RECEIPTS),
    deliveries.c.otherwise.is_not(None),
    _IS_ALIVE,
    deliveries.c.ended_at > now() - AWAITED_FOR,
)
_NEEDED = exists().where(
    deliveries.c.trigger_id == triggers.c.id,
    deliveries.c.channel.not_in(WITHOUT_SECRETS),
    or_(deliveries.c.state.in_([State.QUEUED, State.SENDING]), _REPLAYABLE, _REPLACEABLE),
)
_ERASE = update(triggers).where(triggers.c.secrets.is_not(None), ~_NEEDED).values(secrets=None, erased_at=now())
_ERASE_OF_THESE = _ERASE.where(triggers.c.id.in_(bindparam("ids", expanding=True)))
