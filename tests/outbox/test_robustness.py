"""What goes wrong inside, and must neither stop delivery nor send twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.outbox import leases, operations
from app.outbox.circuits import FAILURES_TO_OPEN
from app.outbox.delivery import Delivery, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.states import Priority, State
from tests.outbox.conftest import Outbox

Make = Callable[..., NewDelivery]


def test_an_outcome_that_cannot_be_written_down_ends_alone(outbox: Outbox, email: Make) -> None:
    sent: list[str] = []

    def send(delivery: Delivery) -> Outcome:
        sent.append(delivery.key)
        unwritable: Any = object()
        return Sent(provider_id=unwritable) if delivery.key == "bad" else Sent()

    outbox.owe(email("good.1"), email("bad"), email("good.2"))
    outbox.run(email=send)
    outbox.run(email=send)
    assert sorted(sent) == ["bad", "good.1", "good.2"]
    assert {row.key: row.state for row in outbox.all()} == {
        "good.1": State.SENT,
        "good.2": State.SENT,
        "bad": State.FAILED,
    }


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_texts_that_a_column_refuses_are_cleaned(outbox: Outbox, email: Make, text: str) -> None:
    outbox.owe(NewDelivery("plan", "plan", "plan", Priority.TRANSACTIONAL))
    unusable = email("late", state=State.FAILED, reason=text, recipient=text)
    outbox.run(plan=lambda _: Sent(text, follow_ups=[email(), unusable]), email=lambda _: Failed(text, text))
    assert {row.state for row in outbox.all()} == {State.SENT, State.FAILED}


def test_a_worker_that_was_stopped_for_long_does_not_take_its_own_sends_for_lost(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    worker = outbox.worker(email=lambda _: Sent())
    (taken,) = worker._turn()
    outbox.set(lease_until=-1)  # as after a suspended machine
    worker._swept_at = worker._renewed_at = float("-inf")
    assert worker._turn() == []
    worker._try_one(taken)
    worker._turn()
    assert (outbox.only().state, outbox.only().attempts) == (State.SENT, 1)


def test_a_delivery_that_kills_its_worker_is_given_up_in_the_end(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.worker(email=lambda _: Sent())._turn()
    outbox.set(lease_until=-1, give_up_at=-1)
    with outbox.database.transaction() as connection:
        leases.requeue_lost(connection, outbox.database, outbox.cipher)
    assert outbox.only().state == State.FAILED
    assert "its worker stopped" in outbox.only().reason


def test_a_retry_by_hand_gives_the_same_time_each_time(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    patience = outbox.only().give_up_at - outbox.only().created_at
    for _ in range(3):
        outbox.set(created_at=outbox.only().created_at - 3 * 86_400)
        operations.retry(outbox.database, None)
        assert outbox.only().give_up_at - outbox.only().due_at == pytest.approx(patience, abs=5)


def test_what_has_no_usable_address_cannot_be_retried(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(state=State.FAILED, reason="this is not an e-mail address", payload=None))
    change = operations.retry(outbox.database, [outbox.only().id])
    assert list(change.refused.values()) == ["its address cannot be sent to"]
    assert operations.retry(outbox.database, None).count == 0


def test_one_outage_opens_the_circuit_once(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(6)))
    outbox.set_destination("smtp", failures=FAILURES_TO_OPEN - 1)
    outbox.run(email=lambda _: Retry("connection refused", destination_down=True))
    assert outbox.destination("smtp").failures == FAILURES_TO_OPEN


def test_one_success_among_failures_shows_that_the_destination_is_there(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(6)))
    outbox.set_destination("smtp", failures=FAILURES_TO_OPEN - 1)

    def send(delivery: Delivery) -> Outcome:
        return Sent() if delivery.key == "email.0" else Retry("dropped the connection", destination_down=True)

    outbox.run(email=send)
    assert outbox.destination("smtp").open_until is None


def test_a_destination_that_is_back_is_said(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.set_destination("smtp", failures=FAILURES_TO_OPEN, open_until=0.0)
    with capture_logs() as logs:
        outbox.run(email=lambda _: Sent())
    assert [line["destination"] for line in logs if line["event"] == "destination.back"] == ["smtp"]


def test_what_is_dropped_when_it_is_planned_is_said(outbox: Outbox, email: Make) -> None:
    outbox.owe(NewDelivery("plan", "plan", "plan", Priority.TRANSACTIONAL))
    dropped = email(state=State.DROPPED, reason="no address for email")
    with capture_logs() as logs:
        outbox.run(plan=lambda _: Sent(follow_ups=[dropped]))
    assert [line["reason"] for line in logs if line.get("state") == State.DROPPED] == ["no address for email"]


def test_a_provider_that_repeats_a_code_does_not_bring_it_into_the_outbox(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(), secrets={"code": "730164"})
    with capture_logs() as logs:
        outbox.run(email=lambda _: Failed("refused: your code 730164 is spam", "550 code 730164"))
    assert "730164" not in repr(outbox.all()) + repr(outbox.attempts()) + repr(logs)


def test_a_try_that_crashes_outside_its_sender_ends_all_the_same(
    outbox: Outbox, email: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("app.outbox.worker.attempt", crash)
    outbox.owe(email())
    outbox.run(email=lambda _: Sent())
    assert outbox.only().state == State.QUEUED
    assert "crashed" in outbox.only().reason


def test_destinations_can_be_paused_before_anything_is_owed_to_them(outbox: Outbox) -> None:
    from app.outbox.worker import Worker

    Worker(outbox.database, outbox.cipher, {}, {"smtp"}).run_until_idle()
    assert operations.set_paused(outbox.database, "smtp", True)


def test_retrying_all_goes_in_batches_that_others_write_between(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(2_500)))
    outbox.set(due_at=3_600)
    reported = []

    def report(done: int, total: int) -> None:
        reported.append((done, total))
        outbox.owe()  # a write, which would wait in vain for a transaction that is open

    change = operations.retry(outbox.database, None, report=report)
    assert change.count == 2_500
    assert reported[:3] == [(1_000, 2_500), (2_000, 2_500), (2_500, 2_500)]
    assert all(row.due_at < row.created_at + 3_000 for row in outbox.all())
