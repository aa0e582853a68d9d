"""What becomes of what is owed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from cryptography.fernet import Fernet

from app.database.engine import DatabaseAway
from app.encryption import Cipher
from app.outbox import leases, secrets
from app.outbox.circuits import FAILURES_TO_OPEN
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.places import PLACES
from app.outbox.states import Priority, Reason, State
from tests.outbox.conftest import Outbox

Make = Callable[..., NewDelivery]


def sent(_delivery: Delivery) -> Outcome:
    return Sent("250 ok", provider_id="abc")


def down(_delivery: Delivery) -> Outcome:
    return Retry("connection refused", destination_down=True)


def busy(_delivery: Delivery) -> Outcome:
    return Retry("450 mailbox busy")


def test_what_is_taken_by_the_provider_is_sent_and_its_attempt_is_kept(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.run(email=sent)
    row = outbox.only()
    assert (row.state, row.attempts, row.provider_id, row.reason) == (State.SENT, 1, "abc", None)
    assert row.ended_at is not None
    (attempt,) = outbox.attempts()
    assert (attempt.number, attempt.outcome, attempt.answer) == (1, "sent", "250 ok")


def test_a_sender_gets_the_whole_payload_of_the_trigger_and_its_own(outbox: Outbox, email: Make) -> None:
    seen: list[Delivery] = []
    outbox.owe(email(), secrets={"code": "730164"})
    outbox.run(email=lambda delivery: seen.append(delivery) or Sent())  # type: ignore[func-returns-value]
    assert seen[0].trigger.payload == {"recipient": {}, "code": "730164"}
    assert seen[0].payload == {"to": ["a@b.test"]}
    assert seen[0].trigger.request_id == "request-1"


def test_a_temporary_failure_is_tried_again_later_with_growing_pauses(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    pauses = []
    for _ in range(3):
        before = time.time()
        outbox.run(email=busy)
        row = outbox.only()
        assert (row.state, row.reason) == (State.QUEUED, "450 mailbox busy")
        pauses.append(row.due_at - before)
        outbox.set(due_at=0)
    assert pauses[0] < pauses[1] < pauses[2]
    assert outbox.only().attempts == 3


def test_a_permanent_failure_is_not_tried_again(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.run(email=lambda _: Failed("no such address", answer="550 unknown"))
    row = outbox.only()
    assert (row.state, row.reason, row.attempts) == (State.FAILED, "no such address", 1)


def test_what_a_sender_drops_is_dropped_with_the_reason(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.run(email=lambda _: Dropped(Reason.CANCELLED))
    assert (outbox.only().state, outbox.only().reason) == (State.DROPPED, Reason.CANCELLED)


def test_tries_are_used_up_when_the_time_for_them_is(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.set(give_up_at=1)
    outbox.run(email=busy)
    assert (outbox.only().state, outbox.only().reason) == (State.FAILED, "tries used up: 450 mailbox busy")


@pytest.mark.parametrize("error", [RuntimeError("Amina"), KeyError("code"), RecursionError()])
def test_a_sender_that_raises_loses_nothing_and_quotes_nothing(outbox: Outbox, email: Make, error: Exception) -> None:
    def crash(_delivery: Delivery) -> Outcome:
        raise error

    outbox.owe(email())
    outbox.run(email=crash)
    assert outbox.only().state == State.QUEUED
    assert outbox.only().reason == f"the sender of email crashed: {type(error).__name__}"


def test_a_channel_without_a_sender_waits_for_one(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.run(sms=sent)
    assert outbox.only().state == State.QUEUED
    outbox.set(due_at=0)
    outbox.run(email=sent)
    assert outbox.only().state == State.SENT


def test_a_missing_key_is_said_and_the_delivery_waits_for_it(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    Outbox(outbox.database, Cipher([Fernet.generate_key().decode()])).run(email=sent)
    assert outbox.only().state == State.QUEUED
    assert "SECRET_KEY" in outbox.only().reason


def test_what_is_past_its_life_is_never_sent(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(priority=Priority.OTP))
    outbox.set(expires_at=-0.1)
    calls: list[Delivery] = []
    outbox.run(email=lambda delivery: calls.append(delivery) or Sent())  # type: ignore[func-returns-value]
    assert (outbox.only().state, outbox.only().reason) == (State.DROPPED, Reason.EXPIRED)
    assert calls == []


def test_what_expires_behind_a_pause_is_dropped_all_the_same(outbox: Outbox, email: Make) -> None:
    trigger_id = outbox.owe(email(priority=Priority.OTP), secrets={"code": "730164"})
    outbox.set(expires_at=-0.1)
    outbox.set_destination("smtp", paused=True)
    with outbox.database.transaction() as connection:
        assert leases.something_overdue(connection)
        assert leases.drop_expired(connection) == [trigger_id]
        assert not leases.something_overdue(connection)
    assert outbox.only().reason == Reason.EXPIRED


def test_planning_twice_owes_nothing_twice(outbox: Outbox, email: Make) -> None:
    planned = NewDelivery("plan", "plan", "plan", Priority.TRANSACTIONAL)
    outbox.owe(planned)
    plan = lambda _: Sent(follow_ups=[email(), email("email.2")])  # noqa: E731
    outbox.run(plan=plan, email=sent)
    outbox.set(state=State.QUEUED, due_at=0)
    outbox.run(plan=plan, email=sent)
    assert sorted(row.key for row in outbox.all()) == ["email", "email.2", "plan"]


def test_follow_ups_may_be_born_ended(outbox: Outbox, email: Make) -> None:
    outbox.owe(NewDelivery("plan", "plan", "plan", Priority.TRANSACTIONAL))
    dropped = email(state=State.DROPPED, reason="no address")
    outbox.run(plan=lambda _: Sent(follow_ups=[dropped]), email=sent)
    row = next(row for row in outbox.all() if row.key == "email")
    assert (row.state, row.reason, row.attempts) == (State.DROPPED, "no address", 0)
    assert row.ended_at is not None


def test_secrets_are_erased_when_the_last_delivery_has_ended(outbox: Outbox, email: Make) -> None:
    trigger_id = outbox.owe(email("a"), email("b"), secrets={"code": "730164"})
    outcomes: Iterator[Outcome] = iter([Sent(), Retry("busy")])
    outbox.run(email=lambda _: next(outcomes))
    assert outbox.trigger(trigger_id).secrets is not None
    outbox.set(due_at=0)
    outbox.run(email=sent)
    origin = outbox.trigger(trigger_id)
    assert origin.secrets is None
    assert origin.erased_at is not None


def test_secrets_outlive_a_failure_that_can_still_be_retried(outbox: Outbox, email: Make) -> None:
    trigger_id = outbox.owe(email(), secrets={"temporaryPassword": "Kafue-4827"})
    outbox.run(email=lambda _: Failed("no such address"))
    assert outbox.trigger(trigger_id).secrets is not None
    outbox.set(ended_at=-8 * 86_400)
    with outbox.database.transaction() as connection:
        assert secrets.erase(connection) == 1
    assert outbox.trigger(trigger_id).secrets is None


def test_a_delivery_whose_worker_died_is_tried_again_by_another(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    dead = outbox.worker(email=sent)
    assert len(dead._turn()) == 1  # claimed, and then nothing more is heard of it
    outbox.run(email=sent)
    assert outbox.only().state == State.SENDING
    outbox.set(lease_until=-1)
    with outbox.database.transaction() as connection:
        assert leases.requeue_lost(connection, outbox.database, outbox.cipher) == [outbox.only().id]
    outbox.run(email=sent)
    assert (outbox.only().state, outbox.only().attempts) == (State.SENT, 2)
    assert [attempt.outcome for attempt in outbox.attempts()] == ["lost", "sent"]


def test_a_worker_that_was_thought_dead_cannot_overwrite_what_another_did(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    slow = outbox.worker(email=lambda _: Failed("late and wrong"))
    (taken,) = slow._turn()
    outbox.set(lease_until=-1)
    with outbox.database.transaction() as connection:
        leases.requeue_lost(connection, outbox.database, outbox.cipher)
    outbox.run(email=sent)
    slow._try_one(taken)
    slow._turn()
    assert outbox.only().state == State.SENT


def test_a_lease_is_renewed_while_a_send_goes_on(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    worker = outbox.worker(email=sent)
    (taken,) = worker._turn()
    outbox.set(lease_until=1)
    with outbox.database.transaction() as connection:
        leases.renew(connection, [taken])
    assert outbox.only().lease_until > time.time() + 10


def test_two_workers_never_take_the_same(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(60)))
    keys: list[str] = []
    lock = threading.Lock()

    def send(delivery: Delivery) -> Outcome:
        with lock:
            keys.append(delivery.key)
        return Sent()

    workers = [threading.Thread(target=outbox.worker(email=send).run_until_idle) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(keys) == len(set(keys)) == 60


def test_a_broken_destination_is_left_alone_and_the_others_go_on(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(10)))
    outbox.owe(email("sms", channel="sms", destination="sms:inbox"))
    for _ in range(3):
        outbox.run(email=down, sms=sent)
        outbox.set(due_at=0)
    tried = [attempt for attempt in outbox.attempts() if attempt.outcome == "retry"]
    assert FAILURES_TO_OPEN <= len(tried) < 10
    assert [row.state for row in outbox.all() if row.channel == "sms"] == [State.SENT]
    assert outbox.destination("smtp").open_until > time.time()


def test_a_mended_destination_is_found_by_one_probe_and_then_used_again(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(10)))
    outbox.set_destination("smtp", failures=FAILURES_TO_OPEN, open_until=time.time() - 1)
    worker = outbox.worker(email=sent)
    claimed = worker._turn()
    assert len(claimed) == 1
    worker._try_one(claimed[0])
    worker.run_until_idle()
    assert {row.state for row in outbox.all()} == {State.SENT}
    assert (outbox.destination("smtp").failures, outbox.destination("smtp").open_until) == (0, None)


def test_a_paused_destination_waits(outbox: Outbox, email: Make) -> None:
    outbox.owe(email())
    outbox.set_destination("smtp", paused=True)
    outbox.run(email=sent)
    assert outbox.only().state == State.QUEUED
    outbox.set_destination("smtp", paused=False)
    outbox.run(email=sent)
    assert outbox.only().state == State.SENT


def test_a_code_overtakes_a_broadcast(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"bulk.{number}", Priority.BULK) for number in range(40)))
    worker = outbox.worker(email=sent)
    first = worker._turn()
    outbox.owe(email("otp", Priority.OTP))
    second = worker._turn()
    assert len(first) < PLACES
    assert [taken.delivery.key for taken in second] == ["otp"]


def test_a_dead_receiver_leaves_places_to_the_others(outbox: Outbox, email: Make) -> None:
    outbox.owe(*(email(f"email.{number}") for number in range(40)))
    worker = outbox.worker(email=sent, sms=sent)
    held = worker._turn()
    outbox.owe(email("sms", channel="sms", destination="sms:inbox"))
    assert len(held) < PLACES
    assert [taken.delivery.key for taken in worker._turn()] == ["sms"]


def test_a_running_worker_sends_what_comes_and_stops_when_told(outbox: Outbox, email: Make) -> None:
    done = threading.Event()

    def send(_delivery: Delivery) -> Outcome:
        done.set()
        return Sent()

    worker = outbox.worker(email=send)
    thread = threading.Thread(target=worker.run)
    thread.start()
    outbox.owe(email())
    assert done.wait(60)
    worker.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert outbox.only().state == State.SENT


def test_a_worker_waits_for_an_absent_database_and_writes_down_what_it_had_sent(
    outbox: Outbox, email: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The send has happened, so that it must be written down once, not tried again."""
    calls: list[str] = []
    away = threading.Event()
    back = threading.Event()
    transaction = outbox.database.transaction

    def send(delivery: Delivery) -> Outcome:
        calls.append(delivery.key)
        away.set()
        return Sent()

    def unreliable():  # type: ignore[no-untyped-def]
        if away.is_set() and not back.is_set():
            back.set()
            raise DatabaseAway("gone")
        return transaction()

    outbox.owe(email())
    monkeypatch.setattr(outbox.database, "transaction", unreliable)
    monkeypatch.setattr("app.outbox.worker._PAUSE_WITHOUT_DATABASE", 0.01)
    worker = outbox.worker(email=send)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert back.wait(60)
    worker.stop()
    thread.join(60)
    assert calls == ["email"]
    assert outbox.only().state == State.SENT
