"""What core's answers, and those of whatever stands in its place, come to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.opencrvs.confirmations import Confirmed, CoreEvents, RefusalCode, Refused, Unavailable
from app.opencrvs.trpc import LARGEST_ANSWER
from tests.access.tokens import private_key, signed
from tests.opencrvs.pending import TOKEN, accepting


@pytest.fixture(scope="module")
def http_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


Answering = Callable[..., Confirmed | Refused | Unavailable]


@pytest.fixture
def answering(http_server: HTTPServer) -> Answering:
    """Confirms at a gateway that gives this answer."""
    http_server.clear()

    def confirm(
        body: bytes | str, status: int = 200, headers: dict[str, str] | None = None
    ) -> Confirmed | Refused | Unavailable:
        http_server.expect_request(f"/events/{accepting('DECLARE').procedure}").respond_with_data(
            body, status=status, headers=headers
        )
        return CoreEvents(http_server.url_for("/"), timeout=(1.0, 5.0)).confirm(accepting("DECLARE"), TOKEN)

    return confirm


def trpc_error(code: str | None, status: int | None, message: str = "no") -> str:
    return json.dumps([{"error": {"json": {"message": message, "data": {"code": code, "httpStatus": status}}}}])


CODES = {
    "PARSE_ERROR": (400, Refused),
    "BAD_REQUEST": (400, Refused),
    "UNAUTHORIZED": (401, Refused),
    "FORBIDDEN": (403, Refused),
    "NOT_FOUND": (404, Refused),
    "METHOD_NOT_SUPPORTED": (405, Refused),
    "CONFLICT": (409, Refused),
    "PRECONDITION_FAILED": (412, Refused),
    "PAYLOAD_TOO_LARGE": (413, Refused),
    "UNPROCESSABLE_CONTENT": (422, Refused),
    "NOT_IMPLEMENTED": (501, Refused),
    "A_CODE_OF_TOMORROW": (418, Refused),
    "TIMEOUT": (408, Unavailable),
    "TOO_MANY_REQUESTS": (429, Unavailable),
    "CLIENT_CLOSED_REQUEST": (499, Unavailable),
    "INTERNAL_SERVER_ERROR": (500, Unavailable),
    "BAD_GATEWAY": (502, Unavailable),
    "SERVICE_UNAVAILABLE": (503, Unavailable),
    "GATEWAY_TIMEOUT": (504, Unavailable),
}


@pytest.mark.parametrize("code", CODES)
def test_an_error_of_trpc_is_judged_by_its_code(answering: Answering, code: str) -> None:
    status, kind = CODES[code]
    outcome = answering(trpc_error(code, status), status)
    assert isinstance(outcome, Refused | Unavailable)
    assert type(outcome) is kind
    assert outcome.reason == f"core answered {code}: no"
    if isinstance(outcome, Unavailable):
        assert outcome.destination_down == (status in (502, 503, 504))


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (trpc_error("FORBIDDEN", None), 500, Refused),
        (trpc_error(None, 403), 207, Refused),
        (trpc_error(None, None), 404, Refused),
        (trpc_error(None, None), 200, Unavailable),
        ('{"error": {"message": "no", "data": {"code": "BAD_REQUEST"}}}', 500, Refused),
        ('[{"error": {"json": null}}]', 500, Unavailable),
        ('[{"error": {"json": {"data": []}}}]', 400, Refused),
    ],
)
def test_an_error_of_an_unusual_shape_is_judged_by_what_it_says(
    answering: Answering, body: str, status: int, kind: type
) -> None:
    assert isinstance(answering(body, status), kind)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, None) for status in (301, 308, 400, 401, 403, 404, 405, 413, 501)),
        *((status, False) for status in (200, 204, 302, 307, 408, 425, 429, 500, 520)),
        *((status, True) for status in (502, 503, 504)),
    ],
)
@pytest.mark.parametrize("body", ["<html>Bad day</html>", '{"statusCode": 1, "error": "Bad day"}'])
def test_what_is_not_trpc_is_judged_by_its_status(
    answering: Answering, status: int, expected: bool | None, body: str
) -> None:
    """`expected` is whether core is down; None where it is refused."""
    outcome = answering(body if status != 204 else "", status, {"Location": "/elsewhere"})
    assert not isinstance(outcome, Confirmed)
    assert (outcome.destination_down if isinstance(outcome, Unavailable) else None) == expected
    assert "is GATEWAY_URL right?" in outcome.reason
    assert "Bad day" not in outcome.reason


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "[1]",
        '{"result": 1}',
        '"result"',
        '[{"results": {}}]',
        '[{"a": 1}, {"result": {}}]',
        "[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_a_200_without_a_result_confirms_nothing(answering: Answering, body: bytes | str) -> None:
    assert isinstance(answering(body), Unavailable)


@pytest.mark.parametrize("body", ['[{"result":{"data":{"json":{}}}}]', '\n[ { "id": null, "result" : {} } ]'])
def test_a_result_confirms(answering: Answering, body: str) -> None:
    assert answering(body) == Confirmed()


def test_redirects_are_not_followed(http_server: HTTPServer, answering: Answering) -> None:
    http_server.expect_request("/elsewhere").respond_with_data('[{"result": {}}]')
    outcome = answering("", 302, {"Location": http_server.url_for("/elsewhere")})
    assert isinstance(outcome, Unavailable)
    assert [request.path for request, _ in http_server.log] == ["/events/event.actions.declare.accept"]


def test_retry_after_in_seconds_and_as_a_date(answering: Answering) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    outcome = answering(trpc_error("TOO_MANY_REQUESTS", 429), 429, {"Retry-After": at})
    assert isinstance(outcome, Unavailable)
    assert outcome.after == pytest.approx(100, abs=5)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("9" * 400, 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2065 07:28:00 -0000", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 +99999999", None),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_bounded_and_garbage_is_none(
    answering: Answering, status: int, header: str, seconds: float | None
) -> None:
    outcome = answering("", status, {"Retry-After": header})
    assert isinstance(outcome, Unavailable)
    assert outcome.after == seconds


def endless(first: bytes) -> Callable[[Request], Response]:
    def respond(_: Request) -> Response:
        def parts() -> Iterator[bytes]:
            yield first
            for _ in range(LARGEST_ANSWER // 65_536 * 64):
                yield b" " * 65_536
                sent.append(65_536)

        return Response(parts(), content_type="application/json")

    sent: list[int] = []
    respond.sent = sent  # type: ignore[attr-defined]
    return respond


@pytest.mark.parametrize(
    ("first", "kind"), [(b'[{"result":{"data":{"json":{', Confirmed), (b'[{"error":', Unavailable)]
)
def test_of_a_huge_answer_only_the_beginning_is_read(http_server: HTTPServer, first: bytes, kind: type) -> None:
    http_server.clear()
    respond = endless(first)
    http_server.expect_request("/events/event.actions.declare.accept").respond_with_handler(respond)
    outcome = CoreEvents(http_server.url_for("")).confirm(accepting("DECLARE"), TOKEN)
    assert isinstance(outcome, kind)
    assert sum(respond.sent) < 32 * LARGEST_ANSWER  # type: ignore[attr-defined]


def test_an_answer_that_drips_is_not_waited_for(http_server: HTTPServer) -> None:
    over = threading.Event()

    def drip(_: Request) -> Response:
        return Response(b" " for _ in iter(lambda: over.wait(0.05), True))

    http_server.clear()
    http_server.expect_request("/events/event.actions.declare.accept").respond_with_handler(drip)
    outcome = CoreEvents(http_server.url_for(""), timeout=(1.0, 0.3)).confirm(accepting("DECLARE"), TOKEN)
    over.set()
    assert outcome == Unavailable("no answer from core: ReadTimeout", destination_down=True)


@pytest.mark.parametrize(
    ("beginning", "kind"), [('[{"result":{"data"', Confirmed), ('[{"res', Unavailable), ("", Unavailable)]
)
def test_an_answer_that_breaks_off_is_known_by_its_beginning(answering: Answering, beginning: str, kind: type) -> None:
    assert isinstance(answering(beginning, headers={"Content-Length": "5000"}), kind)


def test_reasons_are_masked_bounded_and_one_line(answering: Answering) -> None:
    message = (
        f"amina.mwale@registry.test or\n+260977111222 \x00 {TOKEN} {signed(private_key('core'))}\ud800 " + "x" * 500
    )
    outcome = answering(trpc_error("BAD_REQUEST", 400, message), 400)
    assert isinstance(outcome, Refused)
    assert len(outcome.reason) == 300
    assert outcome.reason.isprintable()
    assert all(secret not in outcome.reason for secret in ("amina.mwale", "977111", TOKEN, "eyJ", "registry.test"))
    assert "ami***@***.test or +260***22 *** ***" in outcome.reason


@pytest.mark.parametrize(("status", "code"), [(401, RefusalCode.UNAUTHORIZED), (403, RefusalCode.FORBIDDEN)])
def test_a_gateways_refusal_of_a_token_is_one_too(answering: Answering, status: int, code: RefusalCode) -> None:
    refused = answering(json.dumps({"statusCode": status, "error": "no"}), status)
    assert isinstance(refused, Refused)
    assert refused.code is code


def test_a_procedure_that_this_core_does_not_have_says_nothing_of_the_record(answering: Answering) -> None:
    refused = answering(trpc_error("NOT_FOUND", 404, 'No procedure found on path "event.actions.x.accept"'), 404)
    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.OTHER
