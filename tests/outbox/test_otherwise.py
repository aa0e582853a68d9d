"""What is owed in the place of a delivery that failed for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
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


def test_what_a_person_would_read_is_kept_encrypted(outbox: Outbox, email: Make) -> None:
    outbox.owe(email(otherwise=SMS))
    assert b"+260977" not in outbox.only().otherwise
