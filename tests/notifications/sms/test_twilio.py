"""Messages to Twilio, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from app.environment.values import InvalidSettings
from app.notifications.sms.twilio import TwilioAccount, twilio_account, twilio_provider
from app.outbox.delivery import Failed, Outcome, Retry, Sent
from tests.notifications.sms.stub_twilio import ACCOUNT, KEY, SENDER, SID, TOKEN, Canned, TwilioStub

NUMBER = "+260977111222"
TEXT = "Your code is 730164 — é"


@pytest.fixture
def account(twilio: TwilioStub) -> TwilioAccount:
    return TwilioAccount(ACCOUNT, (ACCOUNT, TOKEN), SENDER, base_url=twilio.url, timeout=5)


def send(account: TwilioAccount, number: str = NUMBER, text: str = TEXT) -> Outcome:
    return twilio_provider(account)(number, text, "delivery-1")


def test_a_message_is_handed_to_twilio(twilio: TwilioStub, account: TwilioAccount) -> None:
    assert send(account) == Sent(f"queued, {SID}; no receipt was asked for", provider_id=SID)
    assert twilio.taken == [{"To": NUMBER, "From": SENDER, "Body": TEXT}]


def test_an_api_key_does_in_place_of_the_token(twilio: TwilioStub, account: TwilioAccount) -> None:
    assert isinstance(send(replace(account, login=KEY)), Sent)


def test_a_messaging_service_chooses_the_sender(twilio: TwilioStub, account: TwilioAccount) -> None:
    outcome = send(replace(account, sender=None, messaging_service_sid="MG1"))
    assert isinstance(outcome, Sent)
    assert twilio.taken == [{"To": NUMBER, "MessagingServiceSid": "MG1", "Body": TEXT}]


def test_a_whatsapp_sender_writes_to_whatsapp(twilio: TwilioStub, account: TwilioAccount) -> None:
    send(replace(account, sender=f"whatsapp:{SENDER}"))
    assert twilio.taken == [{"To": f"whatsapp:{NUMBER}", "From": f"whatsapp:{SENDER}", "Body": TEXT}]


def test_a_content_template_gets_the_text_as_its_variable(twilio: TwilioStub, account: TwilioAccount) -> None:
    send(replace(account, sender=f"whatsapp:{SENDER}", content_sid="HX1"), text="one\n two\t ü")
    (form,) = twilio.taken
    assert (form["ContentSid"], json.loads(form["ContentVariables"])) == ("HX1", {"1": "one two ü"})
    assert "Body" not in form


def test_receipts_are_asked_for_at_an_address_of_the_delivery(twilio: TwilioStub, account: TwilioAccount) -> None:
    provider = twilio_provider(account, lambda delivery_id: f"https://registry.test/receipts/twilio/{delivery_id}")
    assert provider(NUMBER, TEXT, "delivery-1") == Sent(f"queued, {SID}; a receipt follows", provider_id=SID)
    assert twilio.taken[0]["StatusCallback"] == "https://registry.test/receipts/twilio/delivery-1"


def test_what_utf_8_cannot_say_is_replaced(twilio: TwilioStub, account: TwilioAccount) -> None:
    assert isinstance(send(account, text="a\ud800b\0c"), Sent)
    assert twilio.taken[0]["Body"] == "a\N{REPLACEMENT CHARACTER}bc"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+15005550001", "21211: the number is not one that exists"),
        ("+15005550002", "21612: this number cannot be reached from this sender"),
        ("+15005550003", "21408: the account may not send to this country: allow it"),
        ("+15005550004", "21610: the recipient has opted out"),
        ("+15005550009", "21614: the number is not a mobile one"),
    ],
)
def test_what_lies_with_the_recipient_is_permanent(
    twilio: TwilioStub, account: TwilioAccount, number: str, words: str
) -> None:
    outcome = send(account, number)
    assert isinstance(outcome, Failed)
    assert words in outcome.reason
    assert number not in f"{outcome.reason} {outcome.answer}"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"login": (ACCOUNT, "wrong")}, "20003: the login is wrong"),
        ({"sender": "+15005550001"}, "21212: the sender is not valid: check TWILIO_SENDER"),
        ({"sender": "+15005550007"}, "21606: the sender cannot send SMS: check TWILIO_SENDER"),
        ({"sender": "+15005550008"}, "21611: too many messages"),
        ({"sender": None}, "21603: there is no sender: set TWILIO_SENDER"),
    ],
)
def test_what_an_operator_mends_waits_for_it(
    twilio: TwilioStub, account: TwilioAccount, changed: dict[str, Any], words: str
) -> None:
    outcome = send(replace(account, **changed))
    assert isinstance(outcome, Retry)
    assert outcome.destination_down
    assert words in outcome.answer


def error(status: int, code: int | None, message: str = "said") -> Canned:
    return Canned(status, {"code": code, "message": message, "status": status})


@pytest.mark.parametrize(
    ("canned", "outcome"),
    [
        (error(400, 30006), Failed("Twilio's error 30006: the number is a landline, or its network cannot be reached")),
        (error(400, 99999), Failed("Twilio's error 99999: see https://www.twilio.com/docs/api/errors/99999")),
        (error(400, 30003), Retry("Twilio's error 30003: the phone is switched off or out of reach")),
        (
            replace(error(429, 20429), headers={"Retry-After": "7"}),
            Retry("Twilio's error 20429: too many requests at once", destination_down=True, after=7.0),
        ),
        (error(403, 20005), Retry("Twilio's error 20005: the account is not active: see Twilio's console", True)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_are_sorted_by_their_code(
    twilio: TwilioStub, account: TwilioAccount, canned: Canned, outcome: Outcome
) -> None:
    twilio.canned = canned
    found = send(account)
    assert replace(found, answer="") == outcome if isinstance(found, Failed) else found == outcome


@pytest.mark.parametrize(
    ("canned", "words"),
    [
        (Canned(500, ""), "Twilio answered 500"),
        (Canned(503, "<html>down for maintenance</html>"), "Twilio answered 503: <html>down for maintenance"),
        (error(500, 12345), "Twilio answered 500"),
        (error(401, 12345), "Check TWILIO_ACCOUNT_SID"),
        (error(404, 12345), "Check TWILIO_ACCOUNT_SID"),
        (Canned(400, "<html>"), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(302, "", {"Location": "https://elsewhere.test"}), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(200, "<html>a captive portal</html>"), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(200, {"ok": True}), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(200, '["sid"]'), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(201, ""), "not by Twilio: is TWILIO_BASE_URL right?"),
        (Canned(400, {"code": "21610"}), "not by Twilio: is TWILIO_BASE_URL right?"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_trouble_at_twilio_or_on_the_way_there_passes(
    twilio: TwilioStub, account: TwilioAccount, canned: Canned, words: str
) -> None:
    twilio.canned = canned
    outcome = send(account)
    assert isinstance(outcome, Retry)
    assert outcome.destination_down
    assert words in outcome.answer


def test_a_message_that_fails_at_once_has_failed(twilio: TwilioStub, account: TwilioAccount) -> None:
    twilio.canned = Canned(201, {"sid": SID, "status": "failed", "error_code": 30007})
    outcome = send(account)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("Twilio's error 30007")


def test_nobody_there_is_waited_for(account: TwilioAccount) -> None:
    outcome = send(replace(account, base_url="http://127.0.0.1:9", timeout=1))
    assert outcome == Retry("Twilio: no answer: ConnectionError", destination_down=True)


def test_what_twilio_repeats_of_the_message_is_shown_to_nobody(twilio: TwilioStub, account: TwilioAccount) -> None:
    twilio.canned = error(400, 21211, f"'{TEXT}' cannot go to {NUMBER}, also known as 260 977 111 222")
    outcome = send(account)
    assert isinstance(outcome, Failed)
    assert '"message": "\'***\' cannot go to ***, also known as 2609***22"' in outcome.answer


def test_the_environment_decides_nothing_behind_our_back(
    twilio: TwilioStub, account: TwilioAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_REGION", "ie1")
    monkeypatch.setenv("TWILIO_EDGE", "dublin")
    assert isinstance(send(account), Sent)


def test_no_retry_is_hidden_in_the_client(twilio: TwilioStub, account: TwilioAccount) -> None:
    twilio.canned = Canned(503, "")
    send(account)
    assert twilio.asked == 1


def test_the_client_is_loaded_only_where_it_is_chosen() -> None:
    program = (
        "import sys, app.notifications.sms.providers, app.notifications.sms.twilio; print('twilio' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("values", "account"),
    [
        (
            {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_SENDER": "OpenCRVS"},
            TwilioAccount("AC1", ("AC1", "t"), "OpenCRVS"),
        ),
        (
            {
                "TWILIO_ACCOUNT_SID": "AC1",
                "TWILIO_AUTH_TOKEN": "for the receipts",
                "TWILIO_API_KEY": "SK1",
                "TWILIO_API_SECRET": "s",
                "TWILIO_SENDER": "",
                "TWILIO_MESSAGING_SERVICE_SID": "MG1",
                "TWILIO_CONTENT_SID": "HX1",
                "TWILIO_BASE_URL": "https://api.dublin.ie1.twilio.com",
                "SMS_TIMEOUT": 3.0,
            },
            TwilioAccount("AC1", ("SK1", "s"), None, "MG1", "HX1", "https://api.dublin.ie1.twilio.com", 3.0),
        ),
    ],
    ids=["the least", "all"],
)
def test_the_settings_make_an_account(values: dict[str, Any], account: TwilioAccount) -> None:
    assert twilio_account(values) == account


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(InvalidSettings) as refused:
        twilio_account({"TWILIO_API_KEY": "SK1"})
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "TWILIO_ACCOUNT_SID",
        "TWILIO_API_KEY, TWILIO_API_SECRET",
        "TWILIO_SENDER",
    ]
    with pytest.raises(InvalidSettings, match="TWILIO_AUTH_TOKEN"):
        twilio_account({})


def test_secrets_are_not_shown(account: TwilioAccount) -> None:
    assert TOKEN not in repr(account)


@pytest.mark.parametrize(("life", "period"), [(None, None), (599.2, "600"), (0.01, "1"), (90_000.0, "36000")])
def test_a_code_is_not_delivered_past_its_life(
    twilio: TwilioStub, account: TwilioAccount, life: float | None, period: str | None
) -> None:
    twilio_provider(account)(NUMBER, TEXT, "delivery-1", life)
    assert twilio.taken[0].get("ValidityPeriod") == period
