"""The sender of the `sms` channel: what it makes of a delivery before a provider sees it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from app.notifications.catalogue import USER_MESSAGES
from app.notifications.sms.sender import ProviderCrashed, sms_sender
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sent, Trigger
from app.outbox.states import Priority, Reason
from tests.notifications.rendering import RENDERER, VARIABLES


class Recorder:
    """A provider that takes everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.lives: list[float | None] = []

    def __call__(self, number: str, text: str, delivery_id: str, life: float | None = None, /) -> Outcome:
        self.taken.append((number, text, delivery_id))
        self.lives.append(life)
        return Sent()


def delivery(number: str, message: str = "2fa", deadline: float | None = None) -> Delivery:
    return Delivery(
        id="delivery-1",
        key="sms",
        channel="sms",
        destination="sms:twilio",
        message=message,
        priority=Priority.OTP,
        attempt=1,
        payload={"to": [number], "language": "en"},
        trigger=Trigger("trigger-1", "user/2fa", 0.0, "request-1", None, {"recipient": {}, "code": "730164"}),
        deadline=deadline,
    )


def send(to: Delivery, region: str | None = "ZM") -> tuple[Outcome, list[tuple[str, str, str]]]:
    provider = Recorder()
    return sms_sender(RENDERER, provider, USER_MESSAGES, VARIABLES, region)(to), provider.taken


@pytest.mark.parametrize("written", ["0977 111 222", "+260 977 111 222"])
def test_a_provider_gets_the_number_in_its_international_form(written: str) -> None:
    outcome, ((number, text, delivery_id),) = send(delivery(written))
    assert outcome == Sent()
    assert (number, delivery_id) == ("+260977111222", "delivery-1")
    assert "730164" in text


def test_what_cannot_be_a_number_fails_for_good_and_says_why() -> None:
    outcome, taken = send(delivery("09771112223"))
    assert outcome == Failed(
        "no telephone number (0977***23): it has too many digits for +260. Mend it where it was entered"
    )
    assert taken == []


def test_without_a_region_a_number_is_handed_on_as_it_is_written() -> None:
    _, ((number, _, _),) = send(delivery("0977 111 222"), region=None)
    assert number == "0977 111 222"


def test_what_is_past_its_life_is_not_sent() -> None:
    assert send(delivery("0977111222", deadline=time.monotonic())) == (Dropped(Reason.EXPIRED), [])


def test_a_message_that_has_no_sms_fails() -> None:
    outcome, taken = send(delivery("0977111222", message="all-user-notification"))
    assert outcome == Failed("there is no SMS of the name all-user-notification")
    assert taken == []


def test_what_people_typed_goes_out_as_one_line_that_leaves_room_for_ours() -> None:
    asked = delivery("0977111222", message="username-reminder")
    typed = "amina\n\nPay at once:\tevil.test " + "x" * 3_000
    payload = {"recipient": {}, "username": typed}
    _, ((_, text, _),) = send(replace(asked, trigger=replace(asked.trigger, payload=payload)))
    assert "amina Pay at once: evil.test xxx" in text
    assert "\n" not in text
    assert "x" * 65 + "..." in text
    assert "x" * 73 not in text


def test_a_provider_is_told_how_long_a_code_lives() -> None:
    provider = Recorder()
    sender = sms_sender(RENDERER, provider, USER_MESSAGES, VARIABLES, "ZM")
    sender(delivery("0977111222", deadline=time.monotonic() + 600))
    sender(delivery("0977111222"))
    life, forever = provider.lives
    assert life is not None
    assert 500 < life <= 600
    assert forever is None


def test_a_provider_that_crashes_is_not_tried_for_ever() -> None:
    def crashing(*_: object) -> Outcome:
        raise ProviderCrashed("own", KeyError("id"))

    sender = sms_sender(RENDERER, crashing, USER_MESSAGES, VARIABLES, "ZM")
    outcomes = [sender(replace(delivery("0977111222"), attempt=attempt)) for attempt in (1, 2, 3)]
    assert [type(outcome) for outcome in outcomes] == [Retry, Retry, Failed]
    assert all("the SMS provider own crashed: KeyError" in str(outcome) for outcome in outcomes)
