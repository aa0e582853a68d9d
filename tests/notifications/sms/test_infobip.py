"""Messages to Infobip, and what becomes of them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from werkzeug import Response

from app.environment.values import InvalidSettings
from app.notifications.sms.infobip import InfobipAccount, infobip_account, infobip_provider
from app.outbox.delivery import Failed, Outcome, Retry, Sent
from tests.notifications.sms.stub_infobip import DELIVERED, KEY, InfobipStub, rejected

NUMBER = "+260977111222"
TEXT = "Your code is 730164 — é"
PENDING = "Infobip's PENDING_ACCEPTED: Message sent to next instance"


@pytest.fixture
def account(infobip: InfobipStub) -> InfobipAccount:
    return InfobipAccount(infobip.url, KEY, "OpenCRVS", timeout=5)


def send(account: InfobipAccount) -> Outcome:
    return infobip_provider(account)(NUMBER, TEXT, "delivery-1")


def test_a_message_is_handed_to_infobip_under_the_id_of_its_delivery(
    infobip: InfobipStub, account: InfobipAccount
) -> None:
    assert send(account) == Sent(f"{PENDING}; no report was asked for", provider_id="delivery-1")
    (logged,) = infobip.log
    assert logged.message == {
        "destinations": [{"to": "260977111222", "messageId": "delivery-1"}],
        "from": "OpenCRVS",
        "text": TEXT,
    }


def test_a_report_is_asked_for_at_an_address_of_the_delivery(infobip: InfobipStub, account: InfobipAccount) -> None:
    provider = infobip_provider(account, lambda delivery_id: f"https://registry.test/receipts/infobip/{delivery_id}/t")
    assert provider(NUMBER, TEXT, "delivery-1") == Sent(f"{PENDING}; a report follows", provider_id="delivery-1")
    assert infobip.log[0].message["notifyUrl"] == "https://registry.test/receipts/infobip/delivery-1/t"
    assert infobip.log[0].message["notifyContentType"] == "application/json"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("REJECTED_PREFIX_MISSING", "the number's prefix or length"),
        ("REJECTED_DESTINATION", "the number is not one that exists"),
        ("REJECTED_DESTINATION_BLOCKLISTED", "blocklist"),
        ("REJECTED_DND", "the recipient has opted out"),
        ("REJECTED_NETWORK", "ask Infobip to set it up"),
        ("REJECTED_MESSAGE_TOO_LONG", "too long"),
    ],
)
def test_what_lies_with_the_recipient_or_the_message_is_permanent(
    infobip: InfobipStub, account: InfobipAccount, name: str, words: str
) -> None:
    infobip.status = rejected(name)
    outcome = send(account)
    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith(f"Infobip's {name}: ")
    assert words in outcome.reason
    assert "977111222" not in f"{outcome.reason} {outcome.answer}"


@pytest.mark.parametrize(
    ("name", "words", "destination_down"),
    [
        ("REJECTED_NOT_ENOUGH_CREDITS", "top it up", True),
        ("REJECTED_PREPAID_PACKAGE_EXPIRED", "top it up", True),
        ("REJECTED_SOURCE", "check INFOBIP_SENDER_ID", True),
        ("REJECTED_ROUTE_NOT_AVAILABLE", "ask Infobip", True),
        ("REJECTED_FLOODING_FILTER", "too many messages to this number", False),
        ("REJECTED_SYSTEM_ERROR", "ask +260***22", False),
        ("REJECTED_BY_THE_MOON", "ask +260***22", False),
    ],
)
def test_other_rejections_may_pass(
    infobip: InfobipStub, account: InfobipAccount, name: str, words: str, destination_down: bool
) -> None:
    infobip.status = rejected(name, description="ask +260977111222")
    outcome = send(account)
    assert isinstance(outcome, Retry)
    assert words in outcome.answer
    assert outcome.destination_down is destination_down


def test_the_same_message_again_does_not_go_out_twice(infobip: InfobipStub, account: InfobipAccount) -> None:
    infobip.loses_answers = True
    assert isinstance(send(account), Retry)
    infobip.loses_answers = False
    assert send(account) == Sent(f"taken at an earlier try; {PENDING}", provider_id="delivery-1")
    assert len(infobip.log) == 1


def test_the_same_message_again_that_has_arrived_is_sent(infobip: InfobipStub, account: InfobipAccount) -> None:
    infobip.status = dict(DELIVERED)
    send(account)
    outcome = send(account)
    assert isinstance(outcome, Sent)
    assert "DELIVERED_TO_HANDSET" in outcome.answer


def test_a_message_that_was_rejected_before_goes_out_under_another_id(
    infobip: InfobipStub, account: InfobipAccount
) -> None:
    infobip.status = rejected("REJECTED_NOT_ENOUGH_CREDITS")
    assert isinstance(send(account), Retry)
    infobip.status = {"groupId": 1, "groupName": "PENDING", "id": 7, "name": "PENDING_ENROUTE", "description": ""}
    assert isinstance(send(account), Sent)
    assert [logged.message_id for logged in infobip.log] == ["delivery-1", "infobip-1"]


@pytest.mark.parametrize(
    ("logs", "outcome"),
    [
        (Response("", 503), Retry),
        (Response("", 429), Retry),
        (Response("", 401), Retry),
        (Response("", 403), Retry),
        (Response("", 404), Retry),
        (Response("<html>"), Sent),
        (Response('{"results": [1, {"status": 2}]}'), Sent),
    ],
    ids=["in trouble", "too often", "wrong key", "not allowed", "not there", "something else", "garbled"],
)
def test_where_the_logs_cannot_tell_a_message_rather_goes_out_twice_than_not_at_all(
    infobip: InfobipStub, account: InfobipAccount, logs: Response, outcome: type[Outcome]
) -> None:
    send(account)
    infobip.canned_logs = logs
    found = send(account)
    assert isinstance(found, outcome)
    assert ("sms:logs:read" in str(found)) == (logs.status_code in (401, 403, 404))
    assert len(infobip.log) == (2 if outcome is Sent else 1)


def problem(status: int, message_id: str = "BAD_REQUEST") -> Response:
    body = {"requestError": {"serviceException": {"messageId": message_id, "text": f"{TEXT} to {NUMBER}"}}}
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")


@pytest.mark.parametrize(
    ("canned", "words"),
    [
        (problem(401, "UNAUTHORIZED"), "Check INFOBIP_API_KEY"),
        (problem(403, "FORBIDDEN"), "sms:message:send"),
        (problem(404, "NOT_FOUND"), "Is INFOBIP_GATEWAY_ENDPOINT right?"),
        (problem(500), "Infobip answered 500"),
        (Response("", 302, {"Location": "https://elsewhere.test"}), "Is INFOBIP_GATEWAY_ENDPOINT right?"),
        (Response("<html>", 400), "Is INFOBIP_GATEWAY_ENDPOINT right?"),
        (Response("<html>", 200), "not by Infobip"),
        (Response('{"messages": []}', 200), "not by Infobip"),
        (Response('{"messages": [{"status": "ok"}]}', 200), "not by Infobip"),
        (Response("[]", 200), "not by Infobip"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.status_code),
)
def test_trouble_at_infobip_or_on_the_way_there_passes(
    infobip: InfobipStub, account: InfobipAccount, canned: Response, words: str
) -> None:
    infobip.canned = canned
    outcome = send(account)
    assert isinstance(outcome, Retry)
    assert outcome.destination_down
    assert words in outcome.answer
    assert "730164" not in outcome.answer
    assert "977111222" not in outcome.answer


def test_a_pause_that_infobip_asks_for_is_kept(infobip: InfobipStub, account: InfobipAccount) -> None:
    infobip.canned = Response("", 429, {"Retry-After": "20"})
    assert send(account) == Retry("Infobip answered 429: ", destination_down=True, after=20.0)


def test_a_request_that_infobip_does_not_understand_fails(infobip: InfobipStub, account: InfobipAccount) -> None:
    infobip.canned = problem(400)
    outcome = send(account)
    assert isinstance(outcome, Failed)
    assert "BAD_REQUEST" in outcome.reason


def test_a_wrong_key_is_said_and_not_shown(infobip: InfobipStub, account: InfobipAccount) -> None:
    outcome = send(replace(account, api_key="a-wrong-key-0123"))
    assert isinstance(outcome, Retry)
    assert "Check INFOBIP_API_KEY" in outcome.answer
    assert "a-wrong-key" not in outcome.answer


def test_nobody_there_is_waited_for(account: InfobipAccount) -> None:
    outcome = send(replace(account, endpoint="http://127.0.0.1:9/sms/2/text/advanced", timeout=1))
    assert outcome == Retry("Infobip: no answer: ConnectionError", destination_down=True)


def test_the_settings_make_an_account() -> None:
    values: dict[str, Any] = {
        "INFOBIP_GATEWAY_ENDPOINT": "https://x.api.infobip.com/sms/2/text/advanced",
        "INFOBIP_API_KEY": "a-key",
        "INFOBIP_SENDER_ID": "OpenCRVS",
        "SMS_TIMEOUT": "3",
    }
    made = infobip_account(values)
    assert made == InfobipAccount("https://x.api.infobip.com/sms/2/text/advanced", "a-key", "OpenCRVS", 3.0)
    assert "a-key" not in repr(made)


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(InvalidSettings) as refused:
        infobip_account({"INFOBIP_API_KEY": "a-key", "INFOBIP_SENDER_ID": ""})
    assert [problem.partition(":")[0] for problem in refused.value.problems] == [
        "INFOBIP_GATEWAY_ENDPOINT",
        "INFOBIP_SENDER_ID",
    ]


@pytest.mark.parametrize(("life", "minutes"), [(None, None), (541.0, 10), (0.01, 1)])
def test_a_code_is_not_delivered_past_its_life(
    infobip: InfobipStub, account: InfobipAccount, life: float | None, minutes: int | None
) -> None:
    infobip_provider(account)(NUMBER, TEXT, "delivery-1", life)
    assert infobip.log[0].message.get("validityPeriod") == minutes
