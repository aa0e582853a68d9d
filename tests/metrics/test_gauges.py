"""What is open, as a scrape reads it from the database, and what is told where the database is away."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, insert, text, update

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import decisions, deliveries
from app.metrics import gauges
from app.metrics.reading import PATIENCE, DatabaseGauges
from app.opencrvs.version_signs import Sign, VersionSigns
from app.outbox import leases, operations
from app.outbox.circuits import FAILURES_TO_OPEN
from app.outbox.delivery import NewDelivery, Retry, Sent
from app.outbox.states import Priority, Reason, State
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.cli.processes import free_port
from tests.metrics.scraping import Figures, collected, parsed
from tests.outbox.conftest import Outbox

DAY = 86_400


def read(outbox: Outbox) -> Figures:
    return collected(DatabaseGauges(outbox.database, partial(gauges.read, has_client=False)))


def owed(key: str, channel: str = "email", destination: str = "smtp", **values: Any) -> NewDelivery:
    return NewDelivery(key=key, channel=channel, destination=destination, priority=Priority.OTP, **values)


def test_an_empty_database_has_nothing_open(outbox: Outbox) -> None:
    figures = read(outbox)
    assert figures.of("database_up") == 1
    assert figures.total("queued") == 0
    assert figures.of("decisions_late") == 0
    for state in ("deciding", "deferred", "confirming", "refused"):
        assert figures.of("decisions_open", state=state) == 0


def test_the_signs_of_cores_versions_are_shown_with_their_time(outbox: Outbox) -> None:
    VersionSigns(outbox.database).record(Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION")
    seen = read(outbox).of("core_seen_timestamp_seconds", sign="unknown-action-type", detail="REVOKE_REGISTRATION")
    assert seen is not None
    assert abs(seen - time.time()) < DAY


def test_what_waits_is_counted_by_where_it_goes(outbox: Outbox) -> None:
    outbox.owe(owed("email"), owed("email.2"), owed("sms", "sms", "inbox"), owed("email.3", "email", "inbox"))
    figures = read(outbox)
    assert figures.of("queued", channel="email", destination="smtp") == 2
    assert figures.of("queued", channel="email", destination="inbox") == 1
    assert figures.of("queued", channel="sms", destination="inbox") == 1


def test_what_has_ended_waits_no_more(outbox: Outbox) -> None:
    outbox.owe(owed("email"))
    outbox.run(email=lambda _: Sent())
    figures = read(outbox)
    assert figures.total("queued") == 0
    assert figures.of("overdue_seconds", destination="smtp") == 0


def test_the_oldest_that_is_due_tells_the_age(outbox: Outbox) -> None:
    outbox.owe(owed("email"), owed("sms", "sms", "sms:x"))
    with outbox.database.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.key == "email").values(due_at=now() - 300))
        connection.execute(update(deliveries).where(deliveries.c.key == "sms").values(due_at=now() + 300))
    figures = read(outbox)
    assert figures.of("overdue_seconds", destination="smtp") == pytest.approx(300, abs=20)
    assert figures.of("overdue_seconds", destination="sms:x") == 0


def test_a_destination_is_down_until_something_gets_through(outbox: Outbox) -> None:
    outbox.owe(*(owed(f"email.{number}") for number in range(FAILURES_TO_OPEN)), owed("sms", "sms", "sms:x"))
    outbox.run(email=lambda _: Retry("connection refused", destination_down=True), sms=lambda _: Sent())
    assert read(outbox).of("destination_down", destination="smtp") == 1
    assert read(outbox).of("destination_down", destination="sms:x") == 0
    outbox.set_destination("smtp", open_until=None)  # time for a probe, which has not succeeded yet
    assert read(outbox).of("destination_down", destination="smtp") == 1
    outbox.set(due_at=0)
    outbox.run(email=lambda _: Sent())
    assert read(outbox).of("destination_down", destination="smtp") == 0


def test_a_pause_is_told(outbox: Outbox) -> None:
    outbox.owe(owed("email"))
    assert read(outbox).of("destination_paused", destination="smtp") == 0
    operations.set_paused(outbox.database, "smtp", True)
    assert read(outbox).of("destination_paused", destination="smtp") == 1


def test_dead_letters_are_counted_for_a_week(outbox: Outbox) -> None:
    outbox.owe(*(owed(f"email.{number}", state=State.FAILED, reason="no such mailbox") for number in range(3)))
    with outbox.database.transaction() as connection:
        old = deliveries.c.key == "email.0"
        connection.execute(update(deliveries).where(old).values(created_at=now() - 8 * DAY))
    assert read(outbox).of("dead_letters", destination="smtp") == 2


def test_what_expired_is_counted_for_a_day(outbox: Outbox) -> None:
    outbox.owe(owed("email.1"), owed("email.2"), owed("sms", state=State.DROPPED, reason=Reason.DEMO_ADDRESS))
    outbox.set(expires_at=-1)
    outbox.set_destination("smtp", paused=True)  # so that no try notices it, but only time
    with outbox.database.transaction() as connection:
        assert len(leases.drop_expired(connection)) == 2
        old = deliveries.c.key == "email.1"
        connection.execute(update(deliveries).where(old).values(created_at=now() - 2 * DAY))
    assert read(outbox).of("expired", destination="smtp") == 1


def test_open_decisions_are_counted_by_state(outbox: Outbox) -> None:
    states = ["deferred", "deferred", "refused", "deciding", "accepted", "confirmed"]
    for number, state in enumerate(states):
        trigger_id = outbox.owe()
        with outbox.database.transaction() as connection:
            connection.execute(
                insert(decisions).values(
                    event_id=f"event-{number}",
                    action_id=f"action-{number}",
                    trigger_id=trigger_id,
                    event_type="birth",
                    action_type="REGISTER",
                    tracking_id="ABC123",
                    state=state,
                    token_expires_at=now() + 3 * DAY,
                    runs=1,
                    created_at=now(),
                )
            )
    figures = read(outbox)
    assert {state: figures.of("decisions_open", state=state) for state in ("deferred", "confirming", "refused")} == {
        "deferred": 2,
        "confirming": 0,
        "refused": 1,
    }
    assert figures.of("decisions_open", state="accepted") is None
    assert figures.of("decisions_late") == 1  # the refused one


def test_a_scrape_reads_by_indexes_alone(sqlite_url: str) -> None:
    """Millions of finished deliveries and decisions cost it nothing."""
    database = Database(sqlite_url)
    statements: list[tuple[str, Any]] = []
    event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, *_: statements.append((statement, parameters)),
    )
    with database.reading() as connection:
        gauges.read(connection, has_client=False)
        about = [(sql, values) for sql, values in statements if "deliveries" in sql or "decisions" in sql]
        assert len(about) >= 5
        for sql, values in about:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)]
            reads = [step for step in plan if step.startswith(("SCAN", "SEARCH"))]
            assert reads
            assert all("INDEX" in step for step in reads), (sql, plan)
    database.close()


@pytest.fixture
def away(make_settings: Callable[..., Settings], make_app: Callable[[Settings], Flask]) -> Flask:
    return make_app(make_settings(DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"))


def test_without_a_database_the_process_tells_what_it_knows(away: Flask) -> None:
    client = away.test_client()
    assert client.post("/triggers/user/2fa", json=USER_SAMPLES["2fa"]).status_code == 503
    answer = client.get("/metrics")
    assert answer.status_code == 200
    figures = parsed(answer.text)
    assert figures.of("database_up") == 0
    assert figures.of("triggers_total", trigger="user/2fa", status="503") == 1
    assert not figures.names() & {"country_config_queued", "country_config_decisions_late"}


def test_a_database_without_its_tables_is_told_as_one_that_is_away(database: Database) -> None:
    def read_nothing(connection: Any) -> Any:
        return connection.execute(text("SELECT * FROM tables_of_a_newer_version")).all()

    assert collected(DatabaseGauges(database, read_nothing)).of("database_up") == 0


@pytest.fixture
def silent_port() -> Iterator[tuple[int, list[socket.socket]]]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    taken.append(server.accept()[0])
            except OSError:
                return

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


def test_a_database_that_hangs_holds_up_no_scrape_and_is_asked_once(
    silent_port: tuple[int, list[socket.socket]],
) -> None:
    port, taken = silent_port
    database = Database(f"postgresql://nobody@127.0.0.1:{port}/nothing")
    collector = DatabaseGauges(database, partial(gauges.read, has_client=False), patience=0.2)
    began = time.monotonic()
    for _ in range(5):
        assert collected(collector).of("database_up") == 0
    assert time.monotonic() - began < 4
    assert len(taken) == 1
    assert PATIENCE < 10  # what Prometheus waits for, unless told otherwise
    database.close()


def test_all_subscriptions_have_one_label_and_forward_receivers_one_each(outbox: Outbox) -> None:
    names = ["webhook:a", "webhook:b", "forward:x", "forward:y"]
    outbox.owe(*(owed(name, "webhook", name) for name in names))
    outbox.set_destination("webhook:b", failures=FAILURES_TO_OPEN, paused=True)
    figures = read(outbox)
    assert figures.of("queued", channel="webhook", destination="webhook") == 2
    assert figures.of("queued", channel="webhook", destination="forward:x") == 1
    assert figures.of("destination_down", destination="webhook") == 1
    assert figures.of("destination_paused", destination="webhook") == 1
    assert figures.of("destination_down", destination="forward:y") == 0
    for name in ("queued", "overdue_seconds", "dead_letters", "expired", "destination_down", "destination_paused"):
        assert figures.of(name, **({"channel": "webhook"} if name == "queued" else {}), destination="webhook:a") is None
