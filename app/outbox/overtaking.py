"""News that newer news of the same record follows at once: only the newest is told."""

from __future__ import annotations

from sqlalchemy import and_, exists, or_, select, true

from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.outbox.delivery import Delivery
from app.outbox.states import Reason, State


def is_overtaken(database: Database, delivery: Delivery, within: float) -> bool:
    """Whether a newer trigger owes the same of the same subject, planned within `within` seconds of this one.

    One that is tried again is old news by then, so that any newer news overtakes it, whenever it came. News that was
    dropped and told nobody overtakes none. What is newer is said by the database's clock. Raises DatabaseAway.
    """
    mine, newer = deliveries.alias("mine"), deliveries.alias("newer")
    told_of_mine, told_of_newer = triggers.alias("told_of_mine"), triggers.alias("told_of_newer")
    came_later = or_(
        told_of_newer.c.received_at > told_of_mine.c.received_at,
        and_(told_of_newer.c.received_at == told_of_mine.c.received_at, told_of_newer.c.id > told_of_mine.c.id),
    )
    soon = newer.c.created_at <= mine.c.created_at + within if delivery.attempt == 1 else true()
    statement = select(
        exists().where(
            mine.c.id == delivery.id,
            told_of_mine.c.id == mine.c.trigger_id,
            newer.c.subject == mine.c.subject,
            newer.c.channel == mine.c.channel,
            newer.c.created_at >= mine.c.created_at - within,
            soon,
            or_(newer.c.state != State.DROPPED, newer.c.reason == Reason.SUPERSEDED),
            told_of_newer.c.id == newer.c.trigger_id,
            came_later,
        )
    )
    with database.reading() as connection:
        return bool(connection.scalar(statement))
