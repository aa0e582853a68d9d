"""HTTP with a provider: what a slow, large, odd or absent one can do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.notifications.sms.exchange import LARGEST_ANSWER, LONGEST_PAUSE, Answer, Exchange, NoAnswer, excerpt


def test_an_answer_is_taken_as_it_is(http: HTTPServer) -> None:
    http.expect_request("/sms", method="POST", data='{"to": 1}', headers={"X-Key": "k"}).respond_with_json(
        {"id": "1"}, status=202
    )
    answer = Exchange(5).call("POST", http.url_for("/sms"), headers={"X-Key": "k"}, body=b'{"to": 1}')
    assert (answer.status, answer.json, answer.is_fine) == (202, {"id": "1"}, True)


def test_redirects_are_not_followed(http: HTTPServer) -> None:
    http.expect_request("/sms").respond_with_data("", 307, {"Location": http.url_for("/elsewhere")})
    http.expect_request("/elsewhere").respond_with_data("followed")
    assert Exchange(5).call("POST", http.url_for("/sms"), headers={}, body=b"text").status == 307


def test_nobody_there_is_said_without_the_url() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(NoAnswer) as refused:
            Exchange(5).call("POST", f"http://127.0.0.1:{port}/?password=hunter2", headers={}, body=b"")
    assert str(refused.value) == "no answer: ConnectionError"


@pytest.mark.parametrize("headers", [{"Authorization": "a\nb"}, {"Authorization": "schlüssel\u2603"}])
def test_a_header_that_cannot_be_sent_is_no_answer(http: HTTPServer, headers: dict[str, str]) -> None:
    with pytest.raises(NoAnswer):
        Exchange(5).call("POST", http.url_for("/sms"), headers=headers, body=b"")


def test_an_answer_that_does_not_come_is_waited_for_only_so_long(http: HTTPServer) -> None:
    over = threading.Event()

    def never(_request: Request) -> Response:
        over.wait(60)
        return Response("late")

    http.expect_request("/sms").respond_with_handler(never)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="ReadTimeout"):
        Exchange(0.2).call("POST", http.url_for("/sms"), headers={}, body=b"")
    assert time.monotonic() - began < 30
    over.set()


def test_an_answer_that_drips_is_waited_for_only_so_long(http: HTTPServer) -> None:
    over = threading.Event()

    def drip() -> Iterator[bytes]:
        while not over.wait(0.05):
            yield b"."

    http.expect_request("/sms").respond_with_handler(lambda _: Response(drip()))
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="ReadTimeout"):
        Exchange(0.2).call("POST", http.url_for("/sms"), headers={}, body=b"")
    assert time.monotonic() - began < 30
    over.set()


def test_no_more_is_read_than_is_looked_at(http: HTTPServer) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(sent) < 1_000:
            sent.append(1)
            yield b"x" * 65_536

    http.expect_request("/sms").respond_with_handler(lambda _: Response(endless()))
    assert len(Exchange(5).call("POST", http.url_for("/sms"), headers={}, body=b"").content) == LARGEST_ANSWER
    assert len(sent) < 1_000


def test_a_password_of_the_machine_is_not_sent(
    http: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login root password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[str | None] = []

    def look(request: Request) -> Response:
        seen.append(request.headers.get("Authorization"))
        return Response("")

    http.expect_request("/sms").respond_with_handler(look)
    Exchange(5).call("POST", http.url_for("/sms"), headers={}, body=b"")
    Exchange(5).call("POST", http.url_for("/sms"), headers={"Authorization": "App key"}, body=b"")
    assert seen == [None, "App key"]


class _Keeping(BaseHTTPRequestHandler):
    """Keeps connections, sets a cookie, and remembers who asked."""

    protocol_version = "HTTP/1.1"
    callers: ClassVar[list[object]] = []
    cookies: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.callers.append(self.client_address)
        self.cookies.append(self.headers.get("Cookie"))
        self.send_response(200)
        self.send_header("Set-Cookie", "session=1")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_a_thread_keeps_its_connection_and_no_cookies() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Keeping) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        exchange = Exchange(5)
        url = f"http://127.0.0.1:{server.server_port}/"

        def call() -> None:
            for _ in range(3):
                exchange.call("POST", url, headers={}, body=b"x")

        threads = [threading.Thread(target=call) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        server.shutdown()
        serving.join()
    assert (len(_Keeping.callers), len(set(_Keeping.callers))) == (6, 2)
    assert set(_Keeping.cookies) == {None}


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        ("9" * 30, LONGEST_PAUSE),
        ("soon", None),
        ("-1", None),
        ("Sat, 21 Nov 2020 07:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_PAUSE),
    ],
)
def test_a_pause_that_is_asked_for_is_kept_within_an_hour(
    http: HTTPServer, header: str | None, pause: float | None
) -> None:
    http.expect_request("/sms").respond_with_data("", 429, {"Retry-After": header} if header else {})
    answer = Exchange(5).call("POST", http.url_for("/sms"), headers={}, body=b"")
    assert (answer.retry_after, answer.is_for_later) == (pause, True)


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 100_000], ids=["empty", "html", "binary", "deep"])
def test_what_is_not_json_is_none(content: bytes) -> None:
    assert Answer(200, content).json is None


def test_an_excerpt_is_one_short_line_without_what_nobody_may_read() -> None:
    said = f"Hello\r\n Amina!\x00 code 730164 to +260977111222 or amina.mwale@registry.test {'x' * 500}"
    assert excerpt(said, "730164", "") == f"Hello Amina! code *** to +260***22 or ami***@***.test {'x' * 500}"[:200]
