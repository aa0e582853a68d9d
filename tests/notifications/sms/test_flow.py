"""From a trigger that owes an SMS to the receipt of it: worker, provider and receipt together."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from app.notifications.catalogue import USER_MESSAGES
from app.notifications.sms.infobip import InfobipAccount, infobip_provider
from app.notifications.sms.receipts import infobip as infobip_receipts
from app.notifications.sms.receipts import twilio as twilio_receipts
from app.notifications.sms.receipts.addresses import ReceiptAddresses
from app.notifications.sms.sender import Provider, sms_sender
from app.notifications.sms.twilio import TwilioAccount, twilio_provider
from app.outbox import operations
from app.outbox.delivery import NewDelivery
from app.outbox.receipts import take
from app.outbox.states import Priority, State
from tests.notifications.rendering import RENDERER, VARIABLES
from tests.notifications.sms.stub_infobip import DELIVERED, KEY, InfobipStub, Logged, rejected
from tests.notifications.sms.stub_twilio import ACCOUNT, SENDER, SID, TOKEN, TwilioStub
from tests.notifications.sms.test_receipts import form, report, signed
from tests.outbox.conftest import Outbox, outbox

__all__ = ["outbox"]  # the fixture

ADDRESSES = ReceiptAddresses("https://registry.test/receipts", ["a key"])


@pytest.fixture
def work(outbox: Outbox) -> Callable[[Provider], None]:
    """Owe an SMS to a number in Zambia, where none is owed yet, and send it."""

    def work(provider: Provider) -> None:
        payload = {"to": ["0977 111 222"], "language": "en", "variables": {"code": "730164"}}
        if not outbox.all():
            outbox.owe(NewDelivery("sms", "sms", "sms:any", Priority.OTP, "2fa", payload=payload))
        outbox.run(sms=sms_sender(RENDERER, provider, USER_MESSAGES, VARIABLES, "ZM"))

    return work


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("delivered", "", State.DELIVERED, None),
        ("undelivered", "30003", State.FAILED, "30003: the phone is switched off or out of reach"),
        ("sent", "", State.SENT, None),
    ],
)
def test_twilio_s_receipt_finds_its_delivery(
    outbox: Outbox,
    work: Callable[[Provider], None],
    twilio: TwilioStub,
    status: str,
    code: str,
    state: State,
    reason: str | None,
) -> None:
    account = TwilioAccount(ACCOUNT, (ACCOUNT, TOKEN), SENDER, base_url=twilio.url)
    work(twilio_provider(account, ADDRESSES.of_twilio))
    assert (outbox.only().state, outbox.only().provider_id) == (State.SENT, SID)
    (message,) = twilio.taken
    assert message["To"] == "+260977111222"
    assert "730164" in message["Body"]
    url = message["StatusCallback"]
    posted = form(status, **({"ErrorCode": code} if code else {}))
    receipt = twilio_receipts.read(url.rpartition("/")[2], url, MultiDict(posted), signed(url, posted), TOKEN)
    assert take(outbox.database, outbox.cipher, "sms", receipt)
    row = outbox.only()
    assert row.state == state
    assert (row.reason or "").endswith(reason or "")


def reported(outbox: Outbox, logged: Logged, status: dict[str, Any]) -> None:
    """Infobip posts a report to where the message said."""
    *_, delivery_id, token = urlsplit(logged.message["notifyUrl"]).path.split("/")
    body = json.dumps({"results": [report(status, logged.message_id)]}).encode()
    for receipt in infobip_receipts.read(delivery_id, token, body, ADDRESSES):
        assert take(outbox.database, outbox.cipher, "sms", receipt)


def test_infobip_s_report_finds_its_delivery(
    outbox: Outbox, work: Callable[[Provider], None], infobip: InfobipStub
) -> None:
    work(infobip_provider(InfobipAccount(infobip.url, KEY, "OpenCRVS"), ADDRESSES.of_infobip))
    assert outbox.only().state == State.SENT
    reported(outbox, infobip.log[0], DELIVERED)
    assert outbox.only().state == State.DELIVERED


def test_what_failed_at_infobip_goes_out_again_by_hand(
    outbox: Outbox, work: Callable[[Provider], None], infobip: InfobipStub
) -> None:
    provider = infobip_provider(InfobipAccount(infobip.url, KEY, "OpenCRVS"), ADDRESSES.of_infobip)
    work(provider)
    (first,) = infobip.log
    first.status = rejected("EXPIRED_EXPIRED", 15)
    reported(outbox, first, first.status)
    assert outbox.only().state == State.FAILED
    operations.retry(outbox.database, None)
    work(provider)
    second = infobip.log[1]
    assert (outbox.only().state, outbox.only().provider_id) == (State.SENT, second.message_id)
    reported(outbox, first, first.status)  # once more, and late
    assert outbox.only().state == State.SENT
    reported(outbox, second, DELIVERED)
    assert outbox.only().state == State.DELIVERED
