"""A lease: what one process at a time may do, agreed on in the database, for a bounded time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Double, delete, literal

from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.identifiers import new_id
from app.database.tables import leases

_POLL_INTERVAL = 0.05  # seconds


class LeaseHeldError(Exception):
    """Somebody else held the lease for as long as we could wait."""


@contextmanager
def hold(database: Database, name: str, seconds: float, deadline: float) -> Iterator[None]:
    """Hold the lease, so that no thread or process with this database holds it too, for `seconds` at most.

    After that, another may take it: whoever holds it must have stopped by then. Raises LeaseHeldError where it was not
    free by `deadline`, a moment of `time.monotonic`, and DatabaseAway.
    """
    holder = new_id()
    while not _take(database, name, holder, seconds):
        if time.monotonic() >= deadline:
            raise LeaseHeldError(f"the lease {name} is held by another call: try again later")
        time.sleep(_POLL_INTERVAL)
    try:
        yield
    finally:
        with suppress(DatabaseAway), database.transaction() as connection:  # the lease then ends by itself
            connection.execute(delete(leases).where(leases.c.name == name, leases.c.holder == holder))


def _take(database: Database, name: str, holder: str, seconds: float) -> bool:
    ends_at = now() + literal(seconds, Double)
    take = database.insert(leases).values(name=name, holder=holder, ends_at=ends_at)
    take_over = take.on_conflict_do_update(
        index_elements=[leases.c.name],
        set_={"holder": holder, "ends_at": ends_at},
        where=leases.c.ends_at <= now(),
    )
    with database.transaction() as connection:
        return connection.execute(take_over.returning(leases.c.name)).first() is not None
