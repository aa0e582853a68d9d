"""Several workers on one database: none waits for another, and together they keep a destination's rate."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from app.database.engine import AbortCode, Database, TransactionAbortedError
from app.outbox import store
from app.outbox.delivery import Dropped, NewDelivery, Outcome
from app.outbox.states import Priority, Reason, State
from app.outbox.store import Lane
from app.outbox.worker import Worker
from tests.outbox.conftest import Outbox

Make = Callable[..., NewDelivery]
ABORTS = {"40P01": AbortCode.DEADLOCK, "40001": AbortCode.SERIALIZATION, "57014": AbortCode.STATEMENT_TIMEOUT}


@pytest.fixture
def on_postgresql(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")


def lane(name: str) -> Lane:
    return Lane(f"webhook:{name}", Priority.TRANSACTIONAL, 0, rate=2)


def owe(outbox: Outbox, email: Make, *names: str) -> None:
    for name in names:
        outbox.owe(*(email(f"{name}.{number}", destination=f"webhook:{name}") for number in range(5)))


@pytest.mark.usefixtures("on_postgresql")
def test_two_workers_claim_from_limited_destinations_in_any_order_and_do_not_wait(outbox: Outbox, email: Make) -> None:
    owe(outbox, email, "a", "b")
    with outbox.database.transaction() as one, outbox.database.transaction() as other:
        other.execute(text("SET LOCAL lock_timeout = '1s'"))
        assert len(store.claim(one, lane("b"), 6)) == 2
        assert len(store.claim(other, lane("a"), 6)) == 2
        assert store.claim(other, lane("b"), 6) == []
        assert store.claim(one, lane("a"), 6) == []


def test_two_workers_that_saw_the_same_lane_keep_its_rate_together(outbox: Outbox, email: Make) -> None:
    owe(outbox, email, "a")
    claimed = []
    for _worker in range(2):
        with outbox.database.transaction() as connection:
            claimed.append(len(store.claim(connection, lane("a"), 6)))
    assert claimed == [2, 0]


@pytest.mark.usefixtures("on_postgresql")
@pytest.mark.parametrize(("state", "code"), ABORTS.items())
def test_an_aborted_transaction_is_told_apart_from_an_absent_database(
    database: Database, state: str, code: AbortCode
) -> None:
    with pytest.raises(TransactionAbortedError) as aborted:
        abort(database, state)
    assert aborted.value.code is code


@pytest.mark.usefixtures("on_postgresql")
def test_the_worker_goes_on_after_a_deadlock_and_names_it(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    aborts = ["40P01"]

    def abort_once() -> None:
        if aborts:
            abort(outbox.database, aborts.pop())

    def drop(_delivery: object) -> Outcome:
        worker.stop()
        return Dropped(Reason.CANCELLED)

    worker = Worker(outbox.database, outbox.cipher, {"email": drop}, chores=[abort_once])
    with capture_logs() as logs:
        worker.run()
    assert outbox.only().state == State.DROPPED
    assert [line["code"] for line in logs if line["event"] == "transaction.aborted"] == ["deadlock"]
    assert not [line for line in logs if line["event"] == "database.away"]


def abort(database: Database, state: str) -> None:
    with database.transaction() as connection:
        connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'aborted' USING ERRCODE = '{state}'; END $$"))
