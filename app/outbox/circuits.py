"""Destinations that are broken or paused: nothing is tried on them, and everybody else goes on."""

from __future__ import annotations

from sqlalchemy import Connection, Double, literal, or_, update

from app.database.clock import now
from app.database.tables import destinations

FAILURES_TO_OPEN = 5  # in a row
_FIRST_PAUSE = 5.0  # seconds; doubled with each failed probe
_LONGEST_PAUSE = 60.0  # a one-time code lives for minutes, so a mended server must be noticed within one


def record_failure(connection: Connection, destination: str) -> float | None:
    """Count one more failure. Returns for how many seconds the circuit is open because of it, None if it is not.

    While it is open nothing is counted: what fails then was under way already, and is the same outage.
    """
    failures: int | None = connection.execute(
        update(destinations)
        .where(destinations.c.name == destination, _IS_CLOSED)
        .values(failures=destinations.c.failures + 1)
        .returning(destinations.c.failures)
    ).scalar_one_or_none()
    if failures is None or failures < FAILURES_TO_OPEN:
        return None
    pause: float = min(_FIRST_PAUSE * 2 ** min(failures - FAILURES_TO_OPEN, 10), _LONGEST_PAUSE)
    connection.execute(
        update(destinations).where(destinations.c.name == destination).values(open_until=now() + literal(pause, Double))
    )
    return pause


def record_success(connection: Connection, destination: str) -> bool:
    """Close the circuit. Returns whether it was open, or had been."""
    failures: int | None = connection.execute(
        update(destinations)
        .where(destinations.c.name == destination, destinations.c.failures >= FAILURES_TO_OPEN)
        .values(failures=0, open_until=None)
        .returning(destinations.c.failures)
    ).scalar_one_or_none()
    if failures is not None:
        return True
    connection.execute(
        update(destinations).where(destinations.c.name == destination, destinations.c.failures > 0).values(failures=0)
    )
    return False


_IS_CLOSED = or_(destinations.c.open_until.is_(None), destinations.c.open_until <= now())
