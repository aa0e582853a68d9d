"""A lease is held by one at a time, and for a bounded time."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from app.database import lease
from app.database.engine import Database
from app.database.lease import LeaseHeldError
from app.database.tables import leases

LONG = 60.0


def soon() -> float:
    return time.monotonic() + 0.2


def test_it_is_held_by_one_at_a_time(database: Database) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> None:
        with lease.hold(database, "work", LONG, time.monotonic() + LONG):
            inside.append(number)
            most.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(8)))
    assert most == [1] * 8
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(leases)) == 0


def test_who_waits_too_long_is_told(database: Database) -> None:
    with lease.hold(database, "work", LONG, soon()):
        with pytest.raises(LeaseHeldError, match="work"), lease.hold(database, "work", LONG, soon()):
            pass
        with lease.hold(database, "other work", LONG, soon()):
            pass


def test_it_is_free_after_an_error(database: Database) -> None:
    with pytest.raises(ValueError, match="inside"), lease.hold(database, "work", LONG, soon()):
        raise ValueError("inside")
    with lease.hold(database, "work", LONG, soon()):
        pass


def test_it_ends_by_itself_and_its_late_holder_takes_it_from_nobody(database: Database) -> None:
    with lease.hold(database, "work", 0.01, soon()):
        late = lease.hold(database, "work", LONG, time.monotonic() + 5)
        late.__enter__()
    with pytest.raises(LeaseHeldError), lease.hold(database, "work", LONG, soon()):
        pass
    late.__exit__(None, None, None)
    with lease.hold(database, "work", LONG, soon()):
        pass
