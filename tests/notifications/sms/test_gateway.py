"""A gateway that is known by its settings alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.environment.values import InvalidSettings
from app.notifications.sms.gateway import http_provider
from app.notifications.sms.gateway_settings import http_gateway
from app.outbox.delivery import Failed, Outcome, Retry, Sent

NUMBER = "+260977111222"
TEXT = 'Dear "Amina" & all: 730164 — é'


@pytest.fixture
def settings(http: HTTPServer) -> dict[str, Any]:
    """Of a gateway that takes JSON at /sms."""
    return {
        "SMS_HTTP_URL": http.url_for("/sms"),
        "SMS_HTTP_HEADERS": '{"Content-Type": "application/json", "Authorization": "Bearer secret-0123"}',
        "SMS_HTTP_BODY": '{"to": "{{number}}", "text": "{{text}}", "from": "{{sender}}", "ref": "{{id}}"}',
        "SMS_HTTP_SENDER": "OpenCRVS",
        "SMS_HTTP_SUCCESS": "status:2xx; json:status=queued",
        "SMS_HTTP_REFUSED": "json:status=invalid number|opted out",
        "SMS_HTTP_MESSAGE_ID": "messages.0.id",
        "SMS_TIMEOUT": 5.0,
    }


def send(settings: dict[str, Any]) -> Outcome:
    return http_provider(http_gateway(settings))(NUMBER, TEXT, "delivery-1")


def test_a_message_goes_out_as_json(http: HTTPServer, settings: dict[str, Any]) -> None:
    http.expect_request(
        "/sms",
        method="POST",
        json={"to": NUMBER, "text": TEXT, "from": "OpenCRVS", "ref": "delivery-1"},
        headers={"Authorization": "Bearer secret-0123", "Content-Type": "application/json"},
    ).respond_with_json({"status": "queued", "messages": [{"id": 17}]}, status=202)
    outcome = send(settings)
    assert isinstance(outcome, Sent)
    assert outcome.provider_id == "17"
    assert outcome.answer.endswith("; no receipt will follow")


def test_a_message_goes_out_as_a_form(http: HTTPServer, settings: dict[str, Any]) -> None:
    forms = []

    def take(request: Request) -> Response:
        forms.append(request.form.to_dict())
        return Response("0: Accepted for delivery", 202)

    http.expect_request("/sms", method="PUT").respond_with_handler(take)
    form = "user=a%20b&to={{digits}}&text={{text}}"
    headers = '{"content-type": "application/x-www-form-urlencoded; charset=utf-8"}'
    settings |= {"SMS_HTTP_METHOD": "put", "SMS_HTTP_HEADERS": headers, "SMS_HTTP_BODY": form, "SMS_HTTP_SUCCESS": ""}
    assert isinstance(send(settings), Sent)
    assert forms == [{"user": "a b", "to": "260977111222", "text": TEXT}]


def test_a_message_goes_out_in_a_query(http: HTTPServer) -> None:
    http.expect_request(
        "/cgi-bin/sendsms/delivery-1",
        method="GET",
        query_string={"username": "registry", "password": "hunter2", "to": NUMBER, "text": TEXT, "from": "Civil Reg"},
        headers={"X-Id": "delivery-1"},
    ).respond_with_data("0: Accepted for delivery", 202)
    query = "username=registry&password=hunter2&to={{number}}&text={{text}}&from={{sender}}"
    outcome = send(
        {
            "SMS_HTTP_URL": http.url_for("/cgi-bin/sendsms/") + "{{id}}?" + query,
            "SMS_HTTP_METHOD": "GET",
            "SMS_HTTP_HEADERS": '{"X-Id": "{{id}}"}',
            "SMS_HTTP_SENDER": "Civil Reg",
            "SMS_HTTP_SUCCESS": "status:202",
            "SMS_HTTP_REFUSED": "",
        }
    )
    assert outcome == Sent("202: 0: Accepted for delivery; no receipt will follow")


@pytest.mark.parametrize(
    "text",
    ["a/../../b?to=%2B1#x", "%2e%2e/%00%0d%0a", "1 + 1 = 2 & 3", "a\r\nX-Other: b", "\u202e👶", "{{number}}", ""],
    ids=ascii,
)
def test_a_text_arrives_as_it_is(http: HTTPServer, text: str) -> None:
    seen = []

    def take(request: Request) -> Response:
        seen.append((request.path, request.args.to_dict(), request.headers.get("X-Other")))
        return Response("")

    http.expect_request("/sms", method="GET").respond_with_handler(take)
    gateway = http_gateway(
        {"SMS_HTTP_URL": http.url_for("/sms") + "?to={{number}}&text={{text}}", "SMS_HTTP_METHOD": "GET"}
    )
    assert isinstance(http_provider(gateway)(NUMBER, text, "delivery-1"), Sent)
    assert seen == [("/sms", {"to": NUMBER, "text": text}, None)]


def answer(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(body) if body is not None else "", status, headers, content_type="application/json")


@pytest.mark.parametrize(
    ("given", "outcome", "words", "destination_down"),
    [
        (answer(200, {"status": "invalid number"}), Failed, "invalid number", False),
        (answer(400, {"status": "opted out"}), Failed, "opted out", False),
        (answer(422, {"error": "too long"}), Failed, "too long", False),
        (answer(200, {"status": "no credit"}), Failed, "answered 2xx, but not as SMS_HTTP_SUCCESS has it", False),
        (answer(200), Failed, "answered 2xx, but not as SMS_HTTP_SUCCESS has it", False),
        (answer(401), Retry, "Check the login in SMS_HTTP_HEADERS", True),
        (answer(404), Retry, "Are SMS_HTTP_URL and SMS_HTTP_METHOD right?", True),
        (answer(302, None, {"Location": "https://elsewhere.test"}), Retry, "Are SMS_HTTP_URL and", True),
        (answer(500, {"error": "down"}), Retry, '"down"', True),
        (answer(429, {"status": "queued"}), Retry, "429", True),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, Response) else None,
)
def test_an_answer_is_sorted(
    http: HTTPServer,
    settings: dict[str, Any],
    given: Response,
    outcome: type[Outcome],
    words: str,
    destination_down: bool,
) -> None:
    http.expect_request("/sms").respond_with_response(given)
    found = send(settings)
    assert isinstance(found, outcome)
    assert words in (found.reason if isinstance(found, Failed) else str(getattr(found, "answer", "")))
    assert not isinstance(found, Retry) or found.destination_down is destination_down


def test_a_pause_that_the_gateway_asks_for_is_kept(http: HTTPServer, settings: dict[str, Any]) -> None:
    http.expect_request("/sms").respond_with_response(answer(503, None, {"Retry-After": "20"}))
    assert send(settings) == Retry("the SMS gateway answered 503: ", destination_down=True, after=20.0)


def test_nobody_there_is_waited_for(settings: dict[str, Any]) -> None:
    outcome = send(settings | {"SMS_HTTP_URL": "http://127.0.0.1:9/sms", "SMS_TIMEOUT": 1})
    assert outcome == Retry("the SMS gateway: no answer: ConnectionError", destination_down=True)


def test_what_the_gateway_repeats_is_shown_to_nobody(http: HTTPServer, settings: dict[str, Any]) -> None:
    repeated = {"to": NUMBER, "text": TEXT, "digits": NUMBER[1:], "key": "secret-0123"}
    http.expect_request("/sms").respond_with_response(answer(400, repeated))
    found = send(settings)
    assert isinstance(found, Failed)
    assert not [part for part in ("977111222", "730164", "Amina", "secret-0123") if part in found.reason]


@pytest.mark.parametrize(
    "changed",
    [
        {"SMS_HTTP_METHOD": "GET", "SMS_HTTP_BODY": ""},
        {"SMS_HTTP_BODY": '{"to": "{{number}}", "auth": {"keys": ["pass word+1"]}, "text": "{{text}}"}'},
        {
            "SMS_HTTP_BODY": "password=pass%20word%2B1&to={{number}}&text={{text}}",
            "SMS_HTTP_HEADERS": '{"Content-Type": "application/x-www-form-urlencoded"}',
        },
    ],
    ids=["query", "json", "form"],
)
@pytest.mark.parametrize("shown", ["pass word+1", "pass%20word%2B1"])
def test_a_login_in_the_request_is_shown_to_nobody(
    http: HTTPServer, settings: dict[str, Any], changed: dict[str, str], shown: str
) -> None:
    if "SMS_HTTP_BODY" in changed and "keys" in changed["SMS_HTTP_BODY"] and "%" in shown:
        pytest.skip("JSON has it as it is")
    query = "?password=pass%20word%2B1&to={{number}}&text={{text}}"
    http.expect_request("/sms").respond_with_data(f"no such account: {shown}", status=422)
    found = send(
        settings | {"SMS_HTTP_URL": http.url_for("/sms") + (query if "GET" in changed.values() else "")} | changed
    )
    assert isinstance(found, Failed)
    assert "no such account: ***" in found.reason
    assert shown not in found.reason


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"SMS_HTTP_URL": ""}, "SMS_HTTP_URL: missing"),
        ({"SMS_HTTP_URL": "gw.test"}, "SMS_HTTP_URL: not a URL"),
        ({"SMS_HTTP_METHOD": "DELETE"}, "SMS_HTTP_METHOD: knows GET, POST, PUT"),
        ({"SMS_HTTP_METHOD": "GET"}, "SMS_HTTP_BODY: a GET has none"),
        ({"SMS_HTTP_HEADERS": "Bearer secret-0123"}, "SMS_HTTP_HEADERS: not a JSON object"),
        ({"SMS_HTTP_HEADERS": '{"X-Retries": 3}'}, "SMS_HTTP_HEADERS: not a JSON object"),
        ({"SMS_HTTP_HEADERS": '{"X Key": "a"}'}, "SMS_HTTP_HEADERS: 'X Key' is not a header's name"),
        ({"SMS_HTTP_HEADERS": "{}"}, "SMS_HTTP_BODY: of what form is it?"),
        ({"SMS_HTTP_HEADERS": '{"Content-Type": "text/xml"}'}, "write a provider: docs/adding-a-provider.md"),
        ({"SMS_HTTP_BODY": "to={{number}}"}, "SMS_HTTP_BODY: not JSON"),
        ({"SMS_HTTP_BODY": '{"to": "{{number}}"}'}, "SMS_HTTP_BODY, SMS_HTTP_URL: neither of them has {{text}}"),
        ({"SMS_HTTP_BODY": '{"m": "{{text}}"}'}, "neither of them has {{number}} or {{digits}}"),
        ({"SMS_HTTP_SUCCESS": "200"}, "SMS_HTTP_SUCCESS: '200' is not a condition"),
        ({"SMS_HTTP_REFUSED": "json:a"}, "SMS_HTTP_REFUSED: 'json:a' is not a condition"),
        ({"SMS_HTTP_MESSAGE_ID": "a..b"}, "SMS_HTTP_MESSAGE_ID: 'a..b' is not a path"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], changed: dict[str, str], problem: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        http_gateway(settings | changed)
    assert problem in str(refused.value)
    assert "secret-0123" not in str(refused.value)


def test_every_problem_is_said_at_once() -> None:
    with pytest.raises(InvalidSettings) as refused:
        http_gateway({"SMS_HTTP_URL": "x", "SMS_HTTP_SUCCESS": "x", "SMS_HTTP_METHOD": "x"})
    assert len(refused.value.problems) == 3


def test_secrets_are_not_shown(settings: dict[str, Any]) -> None:
    assert "secret-0123" not in repr(http_gateway(settings))
