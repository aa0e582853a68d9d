"""What the web server does by itself: clients that are too slow, and requests that no application gets to see."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from app.cli.gunicorn_worker import MAX_STREAMED_PER_ADDRESS
from app.triggers.samples import USER_SAMPLES
from tests.cli.processes import LONG_ENOUGH, answers, free_port, wait_for

CHECKOUT = Path(__file__).parents[2]
THREADS = 4
POST = b"POST /triggers/user/2fa HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
BODY = json.dumps(USER_SAMPLES["2fa"]).encode()


@dataclass(frozen=True)
class Web:
    """A server with a patience of two seconds."""

    port: int
    output: Path

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=LONG_ENOUGH)

    def answer_to(self, sent: bytes) -> tuple[int, str, dict[str, str], bytes]:
        with self.connect() as client:
            client.sendall(sent)
            return parsed(all_from(client))


def all_from(client: socket.socket) -> bytes:
    """What comes until the server ends the connection."""
    return b"".join(iter(lambda: client.recv(65_536), b""))


def parsed(answer: bytes) -> tuple[int, str, dict[str, str], bytes]:
    """Status, reason, headers and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    _, code, reason = status.split(" ", 2)
    return int(code), reason, dict(line.lower().split(": ", 1) for line in lines), body


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Web]:
    directory = tmp_path_factory.mktemp("web")
    (directory / "country-config.db").write_bytes(migrated_sqlite.read_bytes())
    web = Web(free_port(), directory / "output")
    environ = {
        "PATH": os.environ["PATH"],
        "APP_ENV": "development",
        "INSTANCE_DIR": str(directory / "instance"),
        "DATABASE_URL": f"sqlite:///{directory / 'country-config.db'}",
        "COUNTRY_CONFIG_PORT": str(web.port),
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1",
    }
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:tests.cli.impatient", "wsgi:app"]
    with (
        web.output.open("wb") as output,
        subprocess.Popen(gunicorn, env=environ, cwd=CHECKOUT, stderr=output) as server,
    ):
        try:
            wait_for(lambda: answers(web.port))
            yield web
        finally:
            server.terminate()


def is_an_error(headers: dict[str, str], body: bytes) -> bool:
    assert headers["content-type"] == "application/json"
    assert headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body)
    said = json.loads(body)
    assert set(said) == {"error", "details"}
    assert said["error"]
    return True


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"G", id="one byte"),
        pytest.param(POST, id="half a head"),
        pytest.param(POST + b"Content-Length: 1000\r\n\r\n{", id="half a body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", id="half a chunk"),
    ],
)
def test_clients_that_stop_in_the_middle_stop_nobody_else(web: Web, sent: bytes) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(web.connect()) for _ in range(2 * THREADS)]
        for client in clients:
            client.sendall(sent)
        assert requests.get(f"http://127.0.0.1:{web.port}/ping", timeout=LONG_ENOUGH).ok
        for client in clients:
            code, _, headers, body = parsed(all_from(client))
            assert code == 408
            assert is_an_error(headers, body)
    assert "Traceback" not in web.output.read_text()
    assert "traceback" not in web.output.read_text()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"P", id="one byte"),
        pytest.param(POST + b"Content-Length: 1000\r\n\r\n{", id="a part of a body"),
        pytest.param(POST + b"Content-Length: 1000000\r\n\r\n{", id="a part of a large body"),
        pytest.param(POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{", id="a part of a chunk"),
    ],
)
def test_connections_that_wait_hold_no_thread_that_others_need(web: Web, sent: bytes) -> None:
    with ExitStack() as stack:
        waiting = [stack.enter_context(web.connect()) for _ in range(MAX_STREAMED_PER_ADDRESS)]
        for client in waiting:
            client.sendall(sent)
        for _ in range(20):
            assert requests.get(f"http://127.0.0.1:{web.port}/ping", timeout=LONG_ENOUGH).ok
        ended, _, _ = select.select(waiting, [], [], 0)
        assert ended == []  # all of them were still waiting while the others were answered


def test_two_hundred_that_trickle_stop_nobody(web: Web) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(web.connect()) for _ in range(200)]
        for _ in range(5):
            for client in clients:
                with suppress(OSError):  # those past the limit of an address are ended
                    client.sendall(b"x")
            assert requests.get(f"http://127.0.0.1:{web.port}/ping", timeout=LONG_ENOUGH).ok


def test_requests_that_come_together_on_one_connection_are_answered_in_their_order(web: Web) -> None:
    post = POST + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    with web.connect() as client:
        client.sendall(ping + post + ping[:10])
        time.sleep(0.2)
        client.sendall(ping[10:] + post[:-5])
        time.sleep(0.2)
        client.sendall(post[-5:] + ping.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answers = all_from(client)
    assert answers.count(b"HTTP/1.1 200") == 5
    assert answers.count(b'{"success":true}') == 3


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_what_is_too_large_is_answered_in_json_and_not_cut_off(web: Web, connection: str) -> None:
    size = 60 * 1024 * 1024
    head = POST + b"Connection: %s\r\nContent-Length: %d\r\n\r\n" % (connection.encode(), size)
    with web.connect() as client:
        client.sendall(head)
        for _ in range(size // 65_536):
            client.sendall(b" " * 65_536)
        answer = b""
        while b"\r\n\r\n{" not in answer and (part := client.recv(65_536)):  # the head and the body come apart
            answer += part
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"5 MB" in answer


@pytest.mark.parametrize("head", [b"", POST + b"Content-Length: 1000\r\n\r\n"], ids=["a head", "a body"])
def test_a_byte_now_and_then_is_too_slow_as_well(web: Web, head: bytes) -> None:
    with web.connect() as client:
        client.sendall(head)
        with pytest.raises(OSError, match="reset by peer|Broken pipe"):  # noqa: RUF043  it is two patterns
            drip(client)


def drip(client: socket.socket) -> None:
    """A byte every tenth of a second, for ten seconds."""
    for _ in range(100):
        client.sendall(b"x")
        time.sleep(0.1)


def test_a_slow_client_that_goes_on_is_served(web: Web) -> None:
    with web.connect() as client:
        for piece in (POST, b"Content-Length: %d\r\n\r\n" % len(BODY), BODY[:5], BODY[5:]):
            time.sleep(0.1)
            client.sendall(piece)
        assert client.recv(65_536).startswith(b"HTTP/1.1 200")


def test_a_kept_connection_may_rest_for_longer(web: Web) -> None:
    with requests.Session() as session:
        for _ in range(2):
            assert session.get(f"http://127.0.0.1:{web.port}/ping", timeout=LONG_ENOUGH).ok
            time.sleep(2.5)


SECRET = b"canary-515051"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        pytest.param(b"GET /" + SECRET * 400 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a long URL"),
        pytest.param(b"GET / HTTP/1.1\r\nX-A: " + SECRET * 20_000 + b"\r\n\r\n", 431, id="a long header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 101 + b"\r\n", 431, id="many headers"),
        pytest.param(POST + b"Content-Length: " + SECRET + b"\r\n\r\n", 400, id="a length that is none"),
        pytest.param(POST + b"Content-Length: -1\r\n\r\n", 400, id="a negative length"),
        pytest.param(POST + b"Transfer-Encoding: " + SECRET + b"\r\n\r\n", 501, id="an unknown coding"),
        pytest.param(b"GET / HTTP/1.1\r\nno header " + SECRET + b"\r\n\r\n", 400, id="no header"),
        pytest.param(SECRET + b"\r\n\r\n", 400, id="no request"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", 400, id="an unknown version"),
    ],
)
def test_what_gunicorn_refuses_is_answered_in_json_and_quotes_nothing(web: Web, sent: bytes, status: int) -> None:
    code, reason, headers, body = web.answer_to(sent)
    assert code == status
    assert reason == json.loads(body)["error"]
    assert is_an_error(headers, body)
    assert SECRET not in body


def test_chunks_that_are_none_are_answered_400(web: Web) -> None:
    with web.connect() as client:
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n")
        assert client.recv(65_536).startswith(b"HTTP/1.1 400")
