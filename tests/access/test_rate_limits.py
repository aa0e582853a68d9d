"""Rate limits, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from sqlalchemy import select, update

from app.access.callers import Caller, CallerKind
from app.access.grants import Limit
from app.access.rate_limits import RateLimits, TooManyCalls
from app.database.engine import Database, DatabaseAway
from app.database.tables import rate_limits
from app.encryption import Cipher
from tests.conftest import SECRET_KEY

AMINA = Caller(CallerKind.USER, identity="amina-id")
JOSEPH = Caller(CallerKind.USER, identity="joseph-id")
LIMIT = Limit("own-token", calls=3, seconds=600.0)


@pytest.fixture
def limits(database: Database, cipher: Cipher) -> RateLimits:
    return RateLimits(database, cipher)


def calls_taken(limits: RateLimits, tries: int, limit: Limit = LIMIT, caller: Caller = AMINA) -> int:
    """How many of so many calls are taken."""
    taken = 0
    for _ in range(tries):
        try:
            limits.count(limit, caller)
        except TooManyCalls:
            continue
        taken += 1
    return taken


def age(database: Database, seconds: float) -> None:
    """Let the windows have started so many seconds earlier."""
    with database.transaction() as connection:
        connection.execute(update(rate_limits).values(started_at=rate_limits.c.started_at - seconds))


def test_so_many_calls_are_taken_and_not_one_more(limits: RateLimits) -> None:
    assert calls_taken(limits, 10) == 3


def test_the_refusal_says_when_to_come_back(limits: RateLimits, database: Database) -> None:
    calls_taken(limits, 3)
    age(database, 200.0)
    with pytest.raises(TooManyCalls, match="send this again in") as refused:
        limits.count(LIMIT, AMINA)
    assert 390 <= refused.value.retry_after <= 400


def test_after_the_window_a_new_one_starts(limits: RateLimits, database: Database) -> None:
    assert calls_taken(limits, 5) == 3
    age(database, 601.0)
    assert calls_taken(limits, 5) == 3


def test_callers_and_buckets_count_apart_and_limits_of_one_bucket_together(limits: RateLimits) -> None:
    assert calls_taken(limits, 2) == 2
    assert calls_taken(limits, 5, caller=JOSEPH) == 3
    assert calls_taken(limits, 5, caller=Caller(CallerKind.SYSTEM, identity=AMINA.identity)) == 3
    assert calls_taken(limits, 5, limit=Limit("email", 3)) == 3
    assert calls_taken(limits, 5, limit=Limit(LIMIT.bucket, 3, 600.0)) == 1


def test_a_clock_that_was_set_back_by_hours_locks_nobody_out(limits: RateLimits, database: Database) -> None:
    calls_taken(limits, 3)
    age(database, -7_200.0)
    assert calls_taken(limits, 3) == 3


def test_nothing_says_who_has_called(limits: RateLimits, database: Database) -> None:
    calls_taken(limits, 1)
    with database.reading() as connection:
        (row,) = connection.execute(select(rate_limits))
    assert AMINA.identity not in str(row)
    assert len(row.key) == 64


def test_windows_that_ended_long_ago_are_deleted(limits: RateLimits, database: Database) -> None:
    calls_taken(limits, 1)
    age(database, 90_000.0)
    calls_taken(limits, 1, caller=JOSEPH)
    limits.delete_expired()
    limits.delete_expired()
    with database.reading() as connection:
        assert len(connection.execute(select(rate_limits)).all()) == 1


def test_threads_and_applications_share_the_limit(database_url: str, cipher: Cipher) -> None:
    limit = Limit("own-token", 20)
    databases = [Database(database_url), Database(database_url)]
    start = threading.Barrier(8)

    def call(number: int) -> int:
        start.wait()
        return calls_taken(RateLimits(databases[number % 2], cipher), 10, limit)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(call, range(8))) == 20
    for database in databases:
        database.close()


def _call_in_a_process(url: str) -> int:
    database = Database(url)
    try:
        return calls_taken(RateLimits(database, Cipher([SECRET_KEY])), 15, Limit("own-token", 20))
    finally:
        database.close()


def test_two_processes_share_the_limit(database_url: str) -> None:
    with get_context("fork").Pool(2) as processes:
        assert sum(processes.map(_call_in_a_process, [database_url] * 2)) == 20


def test_a_database_that_is_away_is_reported() -> None:
    away = Database("postgresql://country@127.0.0.1:1/country")
    with pytest.raises(DatabaseAway):
        RateLimits(away, Cipher([SECRET_KEY])).count(LIMIT, AMINA)
    away.close()
