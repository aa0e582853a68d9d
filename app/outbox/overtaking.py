"""News that newer news of the same record follows at once: only the newest is told."""

from __future__ import annotations

from sqlalchemy import exists, select

from app.database.engine import Database
from app.database.tables import deliveries
from app.outbox.delivery import Delivery


def is_overtaken(database: Database, delivery: Delivery, within: float) -> bool:
    """Whether a newer trigger owes the same of the same subject, `within` seconds of this one at the latest.

    Ids of triggers are ordered by time, so that of two exactly one is the newer. Raises DatabaseAway.
    """
    mine, newer = deliveries.alias("mine"), deliveries.alias("newer")
    statement = select(
        exists().where(
            mine.c.id == delivery.id,
            newer.c.subject == mine.c.subject,
            newer.c.key == mine.c.key,
            newer.c.trigger_id > mine.c.trigger_id,
            newer.c.created_at <= mine.c.created_at + within,
        )
    )
    with database.reading() as connection:
        return bool(connection.scalar(statement))
