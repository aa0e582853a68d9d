"""What is done now and then, by whichever process comes first."""

from __future__ import annotations

from sqlalchemy import Connection, Double, literal

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import chores


def claim(connection: Connection, database: Database, name: str, every: float) -> bool:
    """Return whether the last time is at least `every` seconds ago, or never was; then this is the last time."""
    done = database.insert(chores).values(name=name, done_at=now())
    claimed = done.on_conflict_do_update(
        index_elements=[chores.c.name],
        set_={"done_at": now()},
        where=chores.c.done_at <= now() - literal(every, Double),
    )
    return connection.execute(claimed.returning(chores.c.name)).first() is not None
