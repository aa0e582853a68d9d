"""Receipts: who sent them, and what they say."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.notifications.sms.receipts import infobip, twilio
from app.notifications.sms.receipts.addresses import Forged, NotAReceipt, ReceiptAddresses
from app.outbox.receipts import Receipt
from app.outbox.states import State
from tests.notifications.sms.stub_infobip import DELIVERED, PENDING, rejected
from tests.notifications.sms.stub_twilio import ACCOUNT, SID, TOKEN

ADDRESSES = ReceiptAddresses("https://registry.test/receipts", ["a new key", "an old key"])
URL = ADDRESSES.of_twilio("delivery-1")


def form(status: str = "delivered", **more: str) -> dict[str, str]:
    """What Twilio posts, with a parameter that it has added since."""
    return {
        "MessageSid": SID,
        "SmsSid": SID,
        "MessageStatus": status,
        "SmsStatus": status,
        "AccountSid": ACCOUNT,
        "From": "+15005550006",
        "To": "+260977111222",
        "ApiVersion": "2010-04-01",
        "RawDlrDoneDate": "2611210613",
        **more,
    }


def signed(url: str, posted: dict[str, str], token: str = TOKEN) -> str:
    """https://www.twilio.com/docs/usage/security: the URL, then each name and value by the order of the names."""
    text = url + "".join(f"{name}{posted[name]}" for name in sorted(posted))
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()


def from_twilio(posted: dict[str, str], signature: str | None = None, url: str = URL) -> Receipt:
    given = signed(url, posted) if signature is None else signature
    return twilio.read("delivery-1", url, MultiDict(posted), given, TOKEN)


def test_the_signature_is_the_one_of_twilio_s_documentation() -> None:
    posted = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+12349013030",
        "Digits": "1234",
        "From": "+12349013030",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signed(url, posted, "12345") == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    with pytest.raises(NotAReceipt):  # signed, and of a call
        twilio.read("delivery-1", url, MultiDict(posted), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", "12345")


@pytest.mark.parametrize(
    ("posted", "state", "reason"),
    [
        (form("queued"), State.SENT, None),
        (form("sending"), State.SENT, None),
        (form("sent"), State.SENT, None),
        (form("something new"), State.SENT, None),
        (form("delivered"), State.DELIVERED, None),
        (form("read"), State.DELIVERED, None),
        (
            form("undelivered", ErrorCode="30005"),
            State.FAILED,
            "not delivered. Twilio's error 30005: the number is unknown, or not in use any more",
        ),
        (
            form("failed", ErrorCode="12345"),
            State.FAILED,
            "not delivered. Twilio's error 12345: see https://www.twilio.com/docs/api/errors/12345",
        ),
        (form("failed"), State.FAILED, "not delivered. Twilio gave no error code"),
        (form("failed", ErrorCode="oops"), State.FAILED, "not delivered. Twilio gave no error code"),
    ],
    ids=lambda value: value["MessageStatus"] if isinstance(value, dict) else None,
)
def test_twilio_says_what_became_of_a_message(posted: dict[str, str], state: State, reason: str | None) -> None:
    assert from_twilio(posted) == Receipt("delivery-1", SID, state, reason)


def test_the_port_that_a_proxy_adds_does_not_matter() -> None:
    assert twilio.read("delivery-1", URL, MultiDict(form()), signed(URL.replace(".test/", ".test:443/"), form()), TOKEN)


@pytest.mark.parametrize(
    ("posted", "signature"),
    [
        (form(), ""),
        (form(), "x"),
        (form(), "ü" * 28),
        (form(), signed(URL, form(), "another token")),
        (form(), signed(ADDRESSES.of_twilio("delivery-2"), form())),
        (form(), signed(URL.replace("https", "http"), form())),
        (form("delivered"), signed(URL, form("failed"))),
        (form(), signed(URL, form(ErrorCode="30005"))),
        (form(More="more"), signed(URL, form())),
    ],
    ids=["none", "short", "not ASCII", "token", "delivery", "scheme", "changed", "left out", "added"],
)
def test_what_twilio_did_not_sign_is_not_believed(posted: dict[str, str], signature: str) -> None:
    with pytest.raises(Forged, match="TWILIO_AUTH_TOKEN"):
        from_twilio(posted, signature)


@pytest.mark.parametrize("missing", ["MessageSid", "MessageStatus"])
def test_what_twilio_signed_and_is_no_receipt_is_refused(missing: str) -> None:
    posted = {name: value for name, value in form().items() if name != missing}
    with pytest.raises(NotAReceipt):
        from_twilio(posted)


def report(status: dict[str, Any], message_id: str = "delivery-1", **more: Any) -> dict[str, Any]:
    """One of Infobip's results."""
    error = {"groupId": 0, "groupName": "OK", "id": 0, "name": "NO_ERROR", "permanent": False}
    return {
        "bulkId": "2034072219640523072",
        "messageId": message_id,
        "to": "260977111222",
        "sentAt": "2026-11-21T06:13:00.000+0000",
        "doneAt": "2026-11-21T06:13:05.000+0000",
        "smsCount": 1,
        "price": {"pricePerMessage": 0.01, "currency": "EUR"},
        "status": status,
        "error": error,
        **more,
    }


def from_infobip(body: Any, addresses: ReceiptAddresses = ADDRESSES, delivery_id: str = "delivery-1") -> Any:
    token = addresses.of_infobip(delivery_id).rpartition("/")[2]
    return infobip.read("delivery-1", token, body if isinstance(body, bytes) else json.dumps(body).encode(), ADDRESSES)


EXPIRED = {"groupId": 4, "groupName": "EXPIRED", "id": 15, "name": "EXPIRED_EXPIRED", "description": "Expired"}
TO_OPERATOR = DELIVERED | {"id": 2, "name": "DELIVERED_TO_OPERATOR"}


@pytest.mark.parametrize(
    ("status", "state", "reason"),
    [
        (PENDING, State.SENT, None),
        (TO_OPERATOR, State.SENT, None),
        (rejected("REJECTED_DUPLICATE_MESSAGE_ID", 23), State.SENT, None),
        (DELIVERED, State.DELIVERED, None),
        (EXPIRED, State.FAILED, "not delivered. Infobip's EXPIRED_EXPIRED: Expired"),
        (
            rejected("REJECTED_DND"),
            State.FAILED,
            "not delivered. Infobip's REJECTED_DND: the recipient has opted out (do not disturb)",
        ),
        (
            rejected("REJECTED_NEW", description="ask amina.mwale@registry.test or +260977111222"),
            State.FAILED,
            "not delivered. Infobip's REJECTED_NEW: ask ami***@***.test or +260***22",
        ),
    ],
    ids=lambda value: value["name"] if isinstance(value, dict) else None,
)
def test_infobip_says_what_became_of_a_message(status: dict[str, Any], state: State, reason: str | None) -> None:
    assert from_infobip({"results": [report(status)]}) == (Receipt("delivery-1", "delivery-1", state, reason),)


def test_reports_come_several_at_once() -> None:
    told = from_infobip({"results": [report(TO_OPERATOR, "infobip-1"), report(DELIVERED, "infobip-1")]})
    assert [(one.provider_id, one.state) for one in told] == [
        ("infobip-1", State.SENT),
        ("infobip-1", State.DELIVERED),
    ]
    assert from_infobip({"results": []}) == ()


def test_a_token_of_an_older_key_is_good_as_long_as_the_key_is_kept() -> None:
    assert from_infobip({"results": []}, ReceiptAddresses("https://registry.test/receipts", ["an old key"])) == ()
    with pytest.raises(Forged):
        from_infobip({"results": []}, ReceiptAddresses("https://registry.test/receipts", ["another key"]))


def test_a_token_is_good_for_its_own_delivery_only() -> None:
    with pytest.raises(Forged):
        from_infobip({"results": [report(DELIVERED)]}, delivery_id="delivery-2")


@given(st.text(st.characters() | st.sampled_from("0123456789abcdef") | st.characters(categories=["Cs"]), max_size=40))
def test_no_other_token_is_good(token: str) -> None:
    with pytest.raises(Forged):
        ADDRESSES.check("delivery-1", token)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<results/>",
        b"\xff",
        b"[" * 100_000,
        {},
        [],
        {"results": {}},
        {"results": [1]},
        {"results": [{"messageId": "1"}]},
        {"results": [{"messageId": 1, "status": DELIVERED}]},
        {"results": [report(DELIVERED), report({"groupId": "3"})]},
    ],
    ids=lambda body: ascii(body)[:40],
)
def test_what_is_no_report_is_refused(body: Any) -> None:
    with pytest.raises(NotAReceipt) as refused:
        from_infobip(body)
    assert "260977111222" not in str(refused.value)


def test_addresses_are_made_of_the_public_url() -> None:
    addresses = ReceiptAddresses("https://registry.test/receipts/", ["a key"])
    assert addresses.of_twilio("delivery-1") == "https://registry.test/receipts/twilio/delivery-1"
    base, _, token = addresses.of_infobip("delivery-1").rpartition("/")
    assert base == "https://registry.test/receipts/infobip/delivery-1"
    assert len(token) == 32
    addresses.check("delivery-1", token)


def test_more_results_than_a_message_can_have_are_refused() -> None:
    with pytest.raises(NotAReceipt, match="more than 100 results"):
        from_infobip({"results": [report(DELIVERED)] * 101})
