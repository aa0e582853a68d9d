"""What is owed in the place of a delivery that failed for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from structlog.testing import capture_logs

from app.encryption import Cipher
from app.outbox import operations
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sender, Sent
from app.outbox.states import Priority
from tests.outbox.conftest import Outbox

SMS = NewDelivery("sms", channel="sms", destination="sms:inbox", priority=Priority.OTP, payload={"to": ["+260977"]})

Make = Callable[..., NewDelivery]


def answers(outcome: Outcome) -> Callable[[Delivery], Outcome]:
    return lambda _: outcome


def sent(outbox: Outbox) -> list[tuple[str, str]]:
    return [(row.channel, row.state) for row in outbox.all()]


def test_the_next_one_is_owed_where_the_first_fails(outbox: Outbox, email: Make) -> None:
    got: list[Delivery] = []

    def sms(delivery: Delivery) -> Outcome:
        got.append(delivery)
        return Sent()

    outbox.owe(email(otherwise=SMS), secrets={"code": "481920"})
    outbox.run(email=answers(Failed("no such mailbox")), sms=sms)
    assert sent(outbox) == [("email", "failed"), ("sms", "sent")]
    assert got[0].payload == {"to": ["+260977"]}
    assert got[0].trigger.payload["code"] == "481920"


def test_a_chain_goes_on_to_its_end(outbox: Outbox, email: Make) -> None:
    letter = replace(SMS, key="letter", channel="letter")
    outbox.owe(email(otherwise=replace(SMS, otherwise=letter)))
    failing = answers(Failed("no"))
    outbox.run(email=failing, sms=failing, letter=answers(Sent()))
    assert sent(outbox) == [("email", "failed"), ("sms", "failed"), ("letter", "sent")]


def test_tries_that_are_used_up_count_as_failed(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    outbox.set(give_up_at=1)
    outbox.run(email=answers(Retry("greylisted", after=60)), sms=answers(Sent()))
    assert sent(outbox) == [("email", "failed"), ("sms", "sent")]


@pytest.mark.parametrize("outcome", [Sent(), Retry("later"), Dropped("demo address")])
def test_nothing_else_makes_it_owed(outbox: Outbox, email: Make, outcome: Outcome) -> None:
    outbox.owe(email(otherwise=SMS))
    outbox.run(email=answers(outcome))
    assert len(outbox.all()) == 1


def test_a_code_past_its_life_is_not_sent_another_way(outbox: Outbox, email: Make) -> None:
    def fails_when_it_is_too_late(delivery: Delivery) -> Outcome:
        assert delivery.deadline is not None
        while not delivery.expired:
            pass
        return Failed("no such mailbox")

    outbox.owe(email(otherwise=SMS, priority=Priority.OTP, expires_at=None))
    outbox.set(expires_at=0.2)
    outbox.run(email=fails_when_it_is_too_late)
    assert sent(outbox) == [("email", "failed")]


def leave(outbox: Outbox, **values: float | bytes) -> None:
    """A worker takes what is due and stops without a word."""
    assert len(outbox.worker()._turn()) == 1
    outbox.set(lease_until=-1, **values)


def sweep(outbox: Outbox, **senders: Sender) -> None:
    worker = outbox.worker(**senders)
    worker._swept_at = float("-inf")
    worker.run_until_idle()


def test_it_is_owed_where_the_worker_stopped_each_time(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    leave(outbox, give_up_at=-1)
    sweep(outbox, sms=answers(Sent()))
    assert sent(outbox) == [("email", "failed"), ("sms", "sent")]


def test_it_is_not_owed_while_there_are_tries_left(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    leave(outbox)
    sweep(outbox, email=answers(Sent()))
    assert sent(outbox) == [("email", "sent")]


def test_a_code_past_its_life_is_not_sent_another_way_when_its_worker_stopped(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS, priority=Priority.OTP))
    leave(outbox, give_up_at=-1, expires_at=-1)
    sweep(outbox)
    assert sent(outbox) == [("email", "failed")]


def test_one_that_cannot_be_decrypted_stops_no_other(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    leave(outbox, give_up_at=-1, otherwise=Cipher([Fernet.generate_key().decode()]).encrypt(SMS.as_json()))
    with capture_logs() as logs:
        sweep(outbox)
    assert sent(outbox) == [("email", "failed")]
    (line,) = (line for line in logs if line["log_level"] == "error")
    assert (line["delivery_id"], "SECRET_KEY" in line["reason"]) == (outbox.only().id, True)


def test_a_retry_of_all_does_not_send_twice_what_went_another_way(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    outbox.run(email=answers(Failed("no such mailbox")), sms=answers(Sent()))
    assert operations.retry(outbox.database, None).count == 0
    assert sent(outbox) == [("email", "failed"), ("sms", "sent")]


def test_a_retry_of_all_takes_what_waits_or_could_go_no_other_way(outbox: Outbox, email: Make) -> None:
    outbox.owe(email("waits", otherwise=replace(SMS, key="a")))
    outbox.run(email=answers(Retry("busy")))
    outbox.owe(email("fails", otherwise=replace(SMS, key="b")))
    outbox.run(email=answers(Failed("no such mailbox")), sms=answers(Failed("no such number")))
    assert operations.retry(outbox.database, None).count == 2
    assert {row.key for row in outbox.all() if row.state == "queued"} == {"waits", "b"}


def test_by_its_id_what_went_another_way_is_retried(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    outbox.run(email=answers(Failed("no such mailbox")), sms=answers(Sent()))
    assert operations.retry(outbox.database, [outbox.all()[0].id]).count == 1
    outbox.run(email=answers(Sent()))
    assert sent(outbox) == [("email", "sent"), ("sms", "sent")]


def test_what_a_person_would_read_is_kept_encrypted(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    assert b"+260977" not in outbox.only().otherwise
