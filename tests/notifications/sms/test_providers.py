"""Providers by their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.database.engine import Database
from app.encryption import Cipher
from app.environment.values import InvalidSettings
from app.notifications.inbox import Inbox
from app.notifications.sms.providers import sms_provider
from app.notifications.sms.receipts.addresses import ReceiptAddresses
from app.notifications.sms.sender import ProviderCrashed
from app.outbox.delivery import Failed, Outcome, Retry, Sent
from tests.notifications.sms.stub_infobip import KEY as INFOBIP_KEY
from tests.notifications.sms.stub_infobip import InfobipStub
from tests.notifications.sms.stub_twilio import ACCOUNT, KEY, SENDER, TOKEN, TwilioStub

NUMBER = "+260977111222"
RECEIPTS = ReceiptAddresses("https://registry.test/receipts/", ["a key"])
OWN = """
from app.outbox.delivery import Sent

def provider(values):
    def send(number, text, delivery_id):
        return Sent(f"{values['MY_SENDER']} to {number}", provider_id=delivery_id)

    return send
"""


@pytest.fixture
def inbox(sqlite_url: str, cipher: Cipher) -> Iterator[Inbox]:
    database = Database(sqlite_url)
    yield Inbox(database, cipher)
    database.close()


@pytest.fixture
def country(tmp_path: Path) -> Path:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "own.py").write_text(OWN)
    return tmp_path


def twilio_values(twilio: TwilioStub) -> dict[str, Any]:
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_SENDER": SENDER,
        "TWILIO_BASE_URL": twilio.url,
    }


def test_the_inbox_takes_a_number_as_it_is_written(inbox: Inbox) -> None:
    assert sms_provider("inbox", {}, inbox)("0977 111 222", "text", "1") == Sent("kept in the inbox")
    assert inbox.newest()[0].to == ("0977 111 222",)


def test_twilio_is_asked_for_receipts_where_they_can_be_checked(twilio: TwilioStub, inbox: Inbox) -> None:
    values = twilio_values(twilio)
    sms_provider("twilio", values, inbox, receipts=RECEIPTS)(NUMBER, "text", "delivery-1")
    only_a_key = values | {"TWILIO_AUTH_TOKEN": "", "TWILIO_API_KEY": KEY[0], "TWILIO_API_SECRET": KEY[1]}
    sms_provider("twilio", only_a_key, inbox, receipts=RECEIPTS)(NUMBER, "text", "delivery-2")
    sms_provider("twilio", values, inbox)(NUMBER, "text", "delivery-3")
    assert [form.get("StatusCallback") for form in twilio.taken] == [
        "https://registry.test/receipts/twilio/delivery-1",
        None,
        None,
    ]


def test_infobip_is_asked_for_reports(infobip: InfobipStub, inbox: Inbox) -> None:
    values = {
        "INFOBIP_GATEWAY_ENDPOINT": infobip.url,
        "INFOBIP_API_KEY": INFOBIP_KEY,
        "INFOBIP_SENDER_ID": "OpenCRVS",
    }
    sms_provider("infobip", values, inbox, receipts=RECEIPTS)(NUMBER, "text", "delivery-1")
    sms_provider("infobip", values, inbox)(NUMBER, "text", "delivery-2")
    assert [logged.message.get("notifyUrl") for logged in infobip.log] == [RECEIPTS.of_infobip("delivery-1"), None]


def test_a_provider_of_the_country_s_own_is_a_file(country: Path, inbox: Inbox) -> None:
    provider = sms_provider("own", {"MY_SENDER": "OpenCRVS"}, inbox, country)
    assert provider(NUMBER, "text", "delivery-1") == Sent(f"OpenCRVS to {NUMBER}", provider_id="delivery-1")


def test_a_provider_that_calls_numbers_is_given_nothing_else(country: Path, inbox: Inbox) -> None:
    outcome = sms_provider("own", {"MY_SENDER": "OpenCRVS"}, inbox, country)("977111222", "text", "delivery-1")
    assert isinstance(outcome, Failed)
    assert "PHONE_REGION" in outcome.reason


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("nowhere", OWN, "SMS_PROVIDER: knows twilio, infobip, http, inbox, not nowhere; there is no "),
        ("../own", OWN, "for one of your own, set COUNTRY_DIR"),
        ("own", "provider = (", "SyntaxError"),
        ("own", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("own", "", "it has no function provider(values)"),
        ("own", OWN.replace("def send", "values['MY_SECRET']\n    def send"), "KeyError: 'MY_SECRET'"),
    ],
)
def test_a_provider_that_cannot_be_made_is_refused(
    country: Path, inbox: Inbox, name: str, source: str, problem: str
) -> None:
    (country / "sms" / "own.py").write_text(source)
    with pytest.raises(InvalidSettings) as refused:
        sms_provider(name, {}, inbox, country)
    assert problem in str(refused.value)


@pytest.mark.parametrize("name", ["twilio", "infobip", "http"])
def test_what_ours_lack_is_said(inbox: Inbox, name: str) -> None:
    with pytest.raises(InvalidSettings, match="missing"):
        sms_provider(name, {}, inbox)


ODD = "def provider(values):\n    from app.outbox.delivery import Failed, Retry, Sent\n    return lambda *_: {}\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Sent('ok', provider_id=17)", Sent("ok", provider_id="17")),
        ("Sent({'id': 1}, provider_id=[1])", Sent("(dict)")),
        ("Retry(None, destination_down=1, after='60')", Retry("", destination_down=True)),
        ("Failed(404)", Failed("(int)")),
    ],
)
def test_odd_fields_are_put_right(country: Path, inbox: Inbox, answer: str, expected: Outcome) -> None:
    (country / "sms" / "own.py").write_text(ODD.format(answer))
    assert sms_provider("own", {}, inbox, country)(NUMBER, "text", "delivery-1") == expected


@pytest.mark.parametrize("answer", ["None", "True", "'sent'", "{'status': 'sent'}"])
def test_what_is_no_outcome_counts_as_sent_so_that_nobody_gets_it_twice(
    country: Path, inbox: Inbox, answer: str
) -> None:
    (country / "sms" / "own.py").write_text(ODD.format(answer))
    with capture_logs() as logs:
        outcome = sms_provider("own", {}, inbox, country)(NUMBER, "text", "delivery-1")
    assert isinstance(outcome, Sent)
    assert "whether this went out is not known" in outcome.answer
    assert [line["log_level"] for line in logs] == ["error"]


def test_an_error_of_a_provider_names_it(country: Path, inbox: Inbox) -> None:
    (country / "sms" / "own.py").write_text(ODD.format("{}['id']"))
    with pytest.raises(ProviderCrashed, match="the SMS provider own crashed: KeyError"):
        sms_provider("own", {}, inbox, country)(NUMBER, "text", "delivery-1")
