"""What is not taken, and what its sender is told."""

from __future__ import annotations

import io
import json

import pytest

from app.http.bodies import LIMIT, MAX_VALUES
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import TWO_FACTOR, details_of, error_of, rows_kept, sent, shaped
from tests.triggers.serving import Served

BAD_JSON = {
    "empty": b"",
    "blanks": b" \n",
    "cut off": b'{"code": "1"',
    "single quotes": b"{'code': '1'}",
    "a comma too many": b'{"code": "1",}',
    "a comment": b'{"code": "1"} // ',
    "two values": b"{}{}",
    "a word": b"undefined",
    "NaN": b'{"code": NaN}',
    "Infinity": b'{"code": Infinity}',
    "-Infinity": b"-Infinity",
    "a number with 5,000 digits": b'{"code": ' + b"7" * 5_000 + b"}",
    "nested 100,000 deep in arrays": b"[" * 100_000,
    "nested 100,000 deep in objects": b'{"a":' * 100_000,
    "nested 100,000 deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "invalid UTF-8": b'{"code": "\xff"}',
    "surrogates in UTF-8": b'{"code": "\xed\xa0\x80"}',
    "UTF-16": '{"code": "1"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a line break in a string": b'{"code": "1\n"}',
    "NUL": b"\0",
    "an unknown escape": b'{"code": "\\x41"}',
    "half an escape": b'{"code": "\\u12"}',
    "a leading zero": b'{"code": 01}',
    "a form": b"code=1&recipient=2",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
@pytest.mark.parametrize("path", [TWO_FACTOR, "/email", "/triggers/hospital/discharge"])
def test_what_is_no_json_is_answered_400(server: Served, path: str, body: bytes) -> None:
    before = rows_kept(server.database)
    answer = sent(server, path, body)
    assert (answer.status_code, error_of(answer)) == (400, "Invalid JSON")
    assert [detail["path"] for detail in details_of(answer)] == [[]]
    assert rows_kept(server.database) == before


def test_bad_json_is_told_by_its_place(server: Served) -> None:
    answer = sent(server, TWO_FACTOR, b'{"code": "1",\n "recipient" {}}')
    assert details_of(answer)[0]["message"] == "Expecting ':' delimiter at line 2, column 14"


def test_a_body_that_breaks_off_is_answered_400(server: Served) -> None:
    answer = sent(server, TWO_FACTOR, b'{"code":', environ_overrides={"CONTENT_LENGTH": "100"})
    assert (answer.status_code, error_of(answer)) == (400, "Invalid JSON")


def test_an_invalid_payload_says_all_that_is_wrong_in_the_order_of_the_schema(server: Served) -> None:
    before = rows_kept(server.database)
    body = {"admin": {"role": 1}, "recipient": {"bcc": ["a", 1, None], "name": {"surname": "s"}, "email": None}}
    answer = server.client.post("/triggers/user/reset-password-by-admin", json=body)
    assert answer.status_code == 400
    assert [detail["path"] for detail in details_of(answer)] == [
        ["recipient", "name", "firstname"],
        ["recipient", "email"],
        ["recipient", "bcc", 1],
        ["recipient", "bcc", 2],
        ["temporaryPassword"],
        ["admin", "id"],
        ["admin", "name"],
        ["admin", "role"],
    ]
    assert rows_kept(server.database) == before


@pytest.mark.parametrize(
    "path",
    ["user/unknown", "user/2FA", "USER/2fa", "nobody/knows", "a/b/c", "user/email", "a/user/2fa", "user/%00", "%ff/x"],
)
@pytest.mark.parametrize("prefix", ["/trigger", "/triggers"])
def test_an_unknown_trigger_is_answered_404_with_the_known_ones(server: Served, prefix: str, path: str) -> None:
    answer = server.client.post(f"{prefix}/{path}", json=USER_SAMPLES["2fa"])
    assert (answer.status_code, error_of(answer)) == (404, "Unknown trigger")
    known = details_of(answer)[0]["message"].partition(": ")[2].split(", ")
    assert known == sorted(["hospital/birth/notice", "hospital/discharge", *(f"user/{name}" for name in USER_SAMPLES)])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/nothing", "/triggers", "/triggers/", "/triggers/user", "/triggers/a/b/c/d", f"{TWO_FACTOR}/", "/Ping"],
)
def test_an_unknown_url_is_answered_404(server: Served, method: str, path: str) -> None:
    answer = server.client.open(path, method=method)
    assert (answer.status_code, error_of(answer)) == (404, "Not Found")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("path", [TWO_FACTOR, "/trigger/hospital/birth/notice", "/email"])
def test_a_wrong_method_is_answered_405_with_the_right_ones(server: Served, method: str, path: str) -> None:
    answer = server.client.open(path, method=method, json=USER_SAMPLES["2fa"])
    assert (answer.status_code, error_of(answer)) == (405, "Method Not Allowed")
    assert "POST" in answer.headers["Allow"]


def test_ping_is_only_got(server: Served) -> None:
    answer = server.client.post("/ping")
    assert answer.status_code == 405
    shaped(answer)
    assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application",
        "json",
        "application/jsonp",
        "; charset=utf-8",
    ],
)
@pytest.mark.parametrize("path", [TWO_FACTOR, "/email"])
def test_what_is_not_sent_as_json_is_answered_415(server: Served, path: str, content_type: str | None) -> None:
    answer = sent(server, path, json.dumps(USER_SAMPLES["2fa"]), content_type=content_type)
    assert (answer.status_code, error_of(answer)) == (415, "Unsupported media type")


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
def test_a_compressed_body_is_answered_415(server: Served, encoding: str) -> None:
    answer = sent(server, TWO_FACTOR, b"\x1f\x8b", headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert "Content-Encoding" in details_of(answer)[0]["message"]


def of_size(size: int) -> bytes:
    body = json.dumps(USER_SAMPLES["2fa"]).encode()
    return body + b" " * (size - len(body))


def test_five_megabytes_are_taken_from_anybody_and_not_a_byte_more(server: Served) -> None:
    assert LIMIT == 5 * 1024 * 1024
    assert sent(server, TWO_FACTOR, of_size(LIMIT)).status_code == 200
    answer = sent(server, TWO_FACTOR, of_size(LIMIT + 1))
    assert (answer.status_code, error_of(answer)) == (413, "Request entity too large")
    assert "5 MB" in details_of(answer)[0]["message"]


def test_core_may_not_send_more_either(server: Served) -> None:
    assert sent(server, TWO_FACTOR, of_size(LIMIT + 1), headers=server.as_core()).status_code == 413


def test_more_values_than_anybody_means_are_refused_before_they_are_made(server: Served) -> None:
    body = b'{"recipient": {}, "code": "1", "more": [' + b",".join([b"0"] * (MAX_VALUES + 1)) + b"]}"
    answer = sent(server, TWO_FACTOR, body)
    assert answer.status_code == 413
    assert "values" in details_of(answer)[0]["message"]


@pytest.mark.parametrize(
    ("as_core", "declared", "status"),
    [(False, LIMIT, 400), (False, LIMIT + 1, 413), (True, LIMIT, 400), (True, LIMIT + 1, 413), (True, 10**30, 413)],
)
def test_a_declared_length_is_judged_before_the_body_is_read(
    server: Served, as_core: bool, declared: int, status: int
) -> None:
    """The body is two bytes: where its length is acceptable, it ends too early, which is a 400."""
    answer = sent(
        server,
        TWO_FACTOR,
        b"{}",
        headers=server.as_core() if as_core else {},
        environ_overrides={"CONTENT_LENGTH": str(declared)},
    )
    assert answer.status_code == status
    shaped(answer)


def test_what_is_too_long_is_read_to_its_end_so_that_its_sender_reads_the_answer(server: Served) -> None:
    body = io.BytesIO(of_size(LIMIT + 1_000_000))
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    answer = server.client.post(TWO_FACTOR, input_stream=body, environ_overrides=chunked)
    assert (answer.status_code, error_of(answer)) == (413, "Request entity too large")
    assert body.read() == b""


def test_a_small_body_needs_no_declared_length(server: Served) -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "application/json"}
    answer = server.client.post(TWO_FACTOR, input_stream=io.BytesIO(of_size(500)), environ_overrides=chunked)
    assert answer.status_code == 200
