"""Tokens for our own client at core."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from app.opencrvs.system_client import ClientProblem, SystemClient, SystemClientError
from app.settings import Credentials
from tests.cli.processes import free_port
from tests.opencrvs.core_events import CLIENT_SECRET, Core

CLIENT = "5f10f0e9-dafa-48d6-b5e6-551809efa0ab"


class Clock:
    """Wall-clock time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def wall_clock() -> Clock:
    return Clock()


@pytest.fixture
def client(core: Core, wall_clock: Clock) -> SystemClient:
    core.register(CLIENT)
    credentials = Credentials(CLIENT, CLIENT_SECRET)
    return SystemClient(f"{core.url}/auth", credentials, timeout=(1.0, 2.0), clock=wall_clock)


def test_the_credentials_are_in_the_body_and_never_in_the_url(core: Core, client: SystemClient) -> None:
    claims = jwt.decode(client.token(), options={"verify_signature": False})  # core refuses anything in the URL
    assert claims["sub"] == CLIENT


def test_a_token_is_kept_until_shortly_before_its_end(core: Core, client: SystemClient, wall_clock: Clock) -> None:
    first = client.token()
    wall_clock.now += 500
    assert client.token() == first
    wall_clock.now += 80
    assert client.token() != first
    assert core.tokens_given == 2


def test_a_refused_token_is_renewed_once_for_all_who_had_it(core: Core, client: SystemClient) -> None:
    old = client.token()
    new = client.renewed(old)
    assert new != old
    assert client.renewed(old) == new
    assert core.tokens_given == 2


def test_threads_that_ask_at_once_share_one_token(core: Core, client: SystemClient) -> None:
    barrier = threading.Barrier(8)

    def ask(_: int) -> str:
        barrier.wait()
        return client.token()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert core.tokens_given == 1


@pytest.mark.parametrize("lifetime", [5.0, -100.0])
def test_a_token_whose_end_is_near_is_used_for_a_moment(
    core: Core, client: SystemClient, wall_clock: Clock, lifetime: float
) -> None:
    core.token_lifetime = lifetime
    assert client.token() == client.token()
    wall_clock.now += 6
    client.token()
    assert core.tokens_given == 2


def test_unknown_credentials_are_refused_with_what_to_check(core: Core, client: SystemClient) -> None:
    core.clients.clear()
    with capture_logs() as logs, pytest.raises(SystemClientError, match="SYSTEM_CLIENT_ID") as refused:
        client.token()
    assert refused.value.problem is ClientProblem.REFUSED
    assert "invalid_client" in str(refused.value)
    assert CLIENT_SECRET not in repr(logs) + str(refused.value) + repr(client)
    with capture_logs() as logs, pytest.raises(SystemClientError):
        client.token()
    assert logs == []  # said once
    core.register(CLIENT)
    assert client.token()


def test_threads_that_wait_for_a_token_share_a_failure(httpserver: HTTPServer) -> None:
    together = threading.Barrier(4)
    asked: list[str] = []

    def hang(request: Request) -> Response:
        asked.append(request.path)
        threading.Event().wait(0.5)  # until all wait for it
        return Response("", 503)

    httpserver.expect_request("/token").respond_with_handler(hang)
    client = SystemClient(httpserver.url_for(""), Credentials(CLIENT, CLIENT_SECRET))

    def failure() -> str:
        together.wait()
        with pytest.raises(SystemClientError) as away:
            client.token()
        return str(away.value)

    with ThreadPoolExecutor(4) as pool:
        said = {future.result() for future in [pool.submit(failure) for _ in range(4)]}
    assert said == {"core's auth service answered 503 for a token"}
    assert len(asked) == 1


def test_an_auth_service_that_is_away_is_unreachable(core: Core, client: SystemClient) -> None:
    core.auth_is_away = True
    with pytest.raises(SystemClientError, match="503") as away:
        client.token()
    assert away.value.problem is ClientProblem.UNREACHABLE


def test_where_nobody_listens_it_is_unreachable() -> None:
    nobody = SystemClient(f"http://127.0.0.1:{free_port()}", Credentials(CLIENT, CLIENT_SECRET))
    with pytest.raises(SystemClientError, match="ConnectionError") as away:
        nobody.token()
    assert away.value.problem is ClientProblem.UNREACHABLE


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"access_token": ""}', b'{"access_token": 5}', b"[" * 100_000]
)
def test_an_answer_without_a_token_is_refused(httpserver: HTTPServer, body: bytes) -> None:
    httpserver.expect_request("/token").respond_with_data(body)
    with pytest.raises(SystemClientError) as refused:
        SystemClient(httpserver.url_for("/"), Credentials(CLIENT, CLIENT_SECRET)).token()
    assert refused.value.problem is ClientProblem.REFUSED


def test_a_redirect_does_not_get_the_secret(httpserver: HTTPServer) -> None:
    elsewhere: list[Request] = []

    def take(request: Request) -> Response:
        elsewhere.append(request)
        return Response("")

    httpserver.expect_request("/elsewhere").respond_with_handler(take)
    httpserver.expect_request("/token").respond_with_data("", 307, headers={"Location": "/elsewhere"})
    with pytest.raises(SystemClientError):
        SystemClient(httpserver.url_for("/"), Credentials(CLIENT, CLIENT_SECRET)).token()
    assert elsewhere == []


def test_an_auth_service_that_trickles_is_not_waited_for(httpserver: HTTPServer) -> None:
    over = threading.Event()

    def trickle(_: Request) -> Response:
        over.wait(10)
        return Response("{}")

    httpserver.expect_request("/token").respond_with_handler(trickle)
    slow = SystemClient(httpserver.url_for("/"), Credentials(CLIENT, CLIENT_SECRET), timeout=(1.0, 0.3))
    with pytest.raises(SystemClientError, match="ReadTimeout"):
        slow.token()
    over.set()
