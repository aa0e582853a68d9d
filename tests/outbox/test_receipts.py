"""What a provider says later moves a delivery on, whenever it comes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.outbox import operations
from app.outbox.delivery import Delivery, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.receipts import Receipt, take
from app.outbox.schedule import DAY
from app.outbox.secrets import erase
from app.outbox.states import State
from tests.outbox.conftest import Outbox

Make = Callable[..., NewDelivery]


@pytest.fixture
def sms(email: Make) -> Make:
    def make(**values: object) -> NewDelivery:
        return email(**{"key": "sms", "channel": "sms", "destination": "sms:twilio", **values})

    return make


def sent(_delivery: Delivery) -> Outcome:
    return Sent("queued", provider_id="SM1")


def unheard(_delivery: Delivery) -> Outcome:
    return Retry("no answer: ReadTimeout")


def told(outbox: Outbox, state: State, provider_id: str = "SM1", reason: str | None = None) -> bool:
    """A receipt of the only delivery."""
    return take(outbox.database, outbox.cipher, "sms", Receipt(outbox.only().id, provider_id, state, reason))


def test_what_has_arrived_is_delivered(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    outbox.set(ended_at=-60)
    before = outbox.only()
    assert told(outbox, State.DELIVERED)
    row = outbox.only()
    assert (row.state, row.reason, row.provider_id) == (State.DELIVERED, None, "SM1")
    assert row.ended_at > before.ended_at


def test_what_did_not_arrive_has_failed_and_says_why(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    assert told(outbox, State.FAILED, reason="not delivered. \0The number is unknown" + "!" * 1000)
    row = outbox.only()
    assert row.state == State.FAILED
    assert row.reason.startswith("not delivered. The number is unknown!")
    assert len(row.reason) == 500


def test_what_is_on_its_way_stays_sent(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    before = outbox.only()
    assert told(outbox, State.SENT)
    assert outbox.only() == before


@pytest.mark.parametrize("late", [State.SENT, State.FAILED, State.DELIVERED])
def test_what_is_delivered_stays_so(outbox: Outbox, sms: Make, late: State) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    told(outbox, State.DELIVERED)
    before = outbox.only()
    assert told(outbox, late, reason="too late")
    assert outbox.only() == before


def test_a_failure_that_comes_twice_counts_once(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    told(outbox, State.FAILED, reason="first")
    before = outbox.only()
    assert told(outbox, State.FAILED, reason="second")
    assert outbox.only() == before


@pytest.mark.parametrize("state", [State.DELIVERED, State.FAILED])
def test_a_receipt_may_come_before_the_worker_has_written_that_it_was_sent(
    outbox: Outbox, sms: Make, state: State
) -> None:
    def overtaken(delivery: Delivery) -> Outcome:
        assert told(outbox, state, reason="opted out" if state is State.FAILED else None)
        return sent(delivery)

    outbox.owe(sms())
    outbox.run(sms=overtaken)
    row = outbox.only()
    assert (row.state, row.provider_id, row.lease_until) == (state, "SM1", None)
    assert row.reason == ("opted out" if state is State.FAILED else None)
    assert [attempt.outcome for attempt in outbox.attempts()] == ["sent"]
    outbox.run(sms=lambda _: pytest.fail("sent once more"))


def test_a_message_that_arrived_though_its_answer_was_lost_does_not_go_out_again(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=unheard)
    assert outbox.only().state == State.QUEUED
    assert told(outbox, State.DELIVERED)
    assert outbox.only().state == State.DELIVERED
    outbox.set(due_at=-1)
    outbox.run(sms=lambda _: pytest.fail("sent once more"))


def test_a_message_that_failed_though_its_answer_was_lost_is_still_tried_again(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=unheard)
    assert told(outbox, State.FAILED)
    assert outbox.only().state == State.QUEUED


def test_a_message_that_was_given_up_and_arrived_is_delivered(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=lambda _: Failed("tries used up: no answer"))
    assert told(outbox, State.DELIVERED)
    assert (outbox.only().state, outbox.only().reason) == (State.DELIVERED, None)


def test_a_late_word_of_an_earlier_message_does_not_fail_the_later_one(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=lambda _: Sent(provider_id="SM2"))
    assert told(outbox, State.FAILED, provider_id="SM1")
    assert outbox.only().state == State.SENT


def test_after_a_retry_by_hand_only_the_new_message_counts_as_failed(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=sent)
    told(outbox, State.FAILED)
    operations.retry(outbox.database, None)
    seen: list[State] = []

    def again(_delivery: Delivery) -> Outcome:
        for provider_id in ("SM1", "SM2"):
            told(outbox, State.FAILED, provider_id)
            seen.append(outbox.only().state)
        return Sent(provider_id="SM2")

    outbox.run(sms=again)
    assert seen == [State.SENDING, State.FAILED]
    assert (outbox.only().state, outbox.only().provider_id) == (State.FAILED, "SM2")


def test_a_provider_that_names_no_message_is_believed_too(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=lambda _: Sent("taken"))
    assert told(outbox, State.FAILED, provider_id="anything")
    assert outbox.only().state == State.FAILED


def test_what_was_dropped_stays_dropped(outbox: Outbox, sms: Make) -> None:
    outbox.owe(sms())
    outbox.run(sms=unheard)
    operations.cancel(outbox.database, [outbox.only().id])
    assert told(outbox, State.DELIVERED)
    assert outbox.only().state == State.DROPPED


def test_what_is_not_known_is_said(outbox: Outbox, sms: Make, email: Make) -> None:
    outbox.owe(sms())
    assert not told(outbox, State.DELIVERED)  # it was never tried
    for delivery_id in ("no-such-id", "", "\0", "01a1fcb6-ddd6-7eec-913f-981f3758ce79"):
        assert not take(outbox.database, outbox.cipher, "sms", Receipt(delivery_id, "SM1", State.DELIVERED))
    outbox.run(sms=sent)
    assert not take(outbox.database, outbox.cipher, "email", Receipt(outbox.only().id, "SM1", State.DELIVERED))
    assert outbox.only().state == State.SENT


def test_the_secrets_of_what_has_arrived_are_erased(outbox: Outbox, sms: Make) -> None:
    trigger_id = outbox.owe(sms(), secrets={"code": "730164"})
    outbox.run(sms=unheard)
    assert outbox.trigger(trigger_id).secrets is not None
    told(outbox, State.DELIVERED)
    assert outbox.trigger(trigger_id).secrets is None


def test_what_failed_before_the_worker_knew_keeps_its_secrets_for_a_retry_by_hand(outbox: Outbox, sms: Make) -> None:
    trigger_id = outbox.owe(sms(), secrets={"code": "730164"})

    def overtaken(delivery: Delivery) -> Outcome:
        told(outbox, State.FAILED)
        return sent(delivery)

    outbox.run(sms=overtaken)
    assert outbox.trigger(trigger_id).secrets is not None
    assert operations.retry(outbox.database, None).count == 1


def test_what_did_not_arrive_goes_another_way_with_its_code(outbox: Outbox, sms: Make, email: Make) -> None:
    outbox.owe(sms(otherwise=email()), secrets={"code": "481920"})
    outbox.run(sms=sent)
    assert told(outbox, State.FAILED)
    codes: list[str] = []

    def mailed(delivery: Delivery) -> Outcome:
        codes.append(delivery.trigger.payload["code"])
        return Sent()

    outbox.run(email=mailed)
    assert codes == ["481920"]


@pytest.mark.parametrize("values", [{"ended_at": -2 * DAY}, {"expires_at": -1}], ids=["no receipt", "past its life"])
def test_a_code_is_not_kept_for_ever_for_a_receipt(
    outbox: Outbox, sms: Make, email: Make, values: dict[str, float]
) -> None:
    trigger_id = outbox.owe(sms(otherwise=email()), secrets={"code": "481920"})
    outbox.run(sms=sent)
    assert outbox.trigger(trigger_id).secrets is not None
    outbox.set(**values)
    with outbox.database.transaction() as connection:
        erase(connection)
    assert outbox.trigger(trigger_id).secrets is None


def test_a_code_is_erased_when_it_has_arrived(outbox: Outbox, sms: Make, email: Make) -> None:
    trigger_id = outbox.owe(sms(otherwise=email()), secrets={"code": "481920"})
    outbox.run(sms=sent)
    assert told(outbox, State.DELIVERED)
    assert outbox.trigger(trigger_id).secrets is None
