"""Core's public key, fetched over real HTTP from an auth service on loopback."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from app.access.core_token import CoreTokens, InvalidToken
from app.opencrvs.public_key import FetchedKey, KeyUnavailable
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.access.tokens import private_key, public_pem, signed
from tests.opencrvs.clock import Clock
from tests.triggers.answers import error_of


@pytest.fixture(scope="module")
def http_server() -> Iterator[HTTPServer]:
    """Answers each request in a thread of its own."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def auth_service(http_server: HTTPServer) -> HTTPServer:
    """Has not been asked, and has nothing to say."""
    http_server.clear()
    return http_server


@pytest.fixture
def key(auth_service: HTTPServer, clock: Clock) -> FetchedKey:
    return FetchedKey(auth_service.url_for("").rstrip("/"), clock=clock)


def serve(auth_service: HTTPServer, body: bytes | str, **kwargs: Any) -> None:
    """From now on this is what the auth service answers."""
    auth_service.clear_all_handlers()
    auth_service.expect_request("/.well-known", method="GET").respond_with_data(body, **kwargs)


def serve_key(auth_service: HTTPServer, name: str) -> None:
    serve(auth_service, public_pem(private_key(name)))


def asked(auth_service: HTTPServer) -> int:
    return len(auth_service.log)


def test_the_key_is_fetched_once_at_the_first_need(auth_service: HTTPServer, key: FetchedKey) -> None:
    serve_key(auth_service, "core")
    assert asked(auth_service) == 0
    for _ in range(3):
        assert key.current() == private_key("core").public_key()
    assert asked(auth_service) == 1
    assert key.generation == 1


def test_the_key_is_kept_for_ever_while_signatures_fit(auth_service: HTTPServer, key: FetchedKey, clock: Clock) -> None:
    serve_key(auth_service, "core")
    key.current()
    clock.now += 30 * 24 * 3600
    assert key.current() == private_key("core").public_key()
    assert asked(auth_service) == 1


def test_a_new_key_is_looked_for_at_most_once_a_minute(auth_service: HTTPServer, key: FetchedKey, clock: Clock) -> None:
    serve_key(auth_service, "old")
    key.current()
    serve_key(auth_service, "new")
    clock.now += 59.9
    assert not key.refreshed(since=key.generation)
    assert asked(auth_service) == 1
    clock.now += 0.1
    assert key.refreshed(since=key.generation)
    assert asked(auth_service) == 2
    assert key.current() == private_key("new").public_key()
    assert not key.refreshed(since=key.generation)
    clock.now += 59.9
    assert not key.refreshed(since=key.generation)
    assert asked(auth_service) == 2


def test_the_same_key_again_is_no_new_generation(auth_service: HTTPServer, key: FetchedKey, clock: Clock) -> None:
    serve_key(auth_service, "core")
    key.current()
    clock.now += 60
    assert not key.refreshed(since=key.generation)
    assert (asked(auth_service), key.generation) == (2, 1)


def test_who_waited_while_another_found_the_new_key_uses_it(
    auth_service: HTTPServer, key: FetchedKey, clock: Clock
) -> None:
    serve_key(auth_service, "old")
    key.current()
    seen_by_both = key.generation
    serve_key(auth_service, "new")
    clock.now += 60
    assert key.refreshed(since=seen_by_both)
    assert key.refreshed(since=seen_by_both)
    assert asked(auth_service) == 2


def test_tokens_of_the_new_key_are_taken_and_of_the_old_one_refused_within_one_request(
    auth_service: HTTPServer, key: FetchedKey, clock: Clock
) -> None:
    tokens = CoreTokens(key)
    serve_key(auth_service, "old")
    old, new = signed(private_key("old")), signed(private_key("new"))
    assert tokens.verify(old)["sub"] == "auth"
    serve_key(auth_service, "new")
    clock.now += 60
    assert tokens.verify(new)["sub"] == "auth"
    with pytest.raises(InvalidToken, match="not signed by core"):
        tokens.verify(old)
    assert asked(auth_service) == 2


def test_wrong_tokens_make_us_ask_no_more_than_once_a_minute(
    auth_service: HTTPServer, key: FetchedKey, clock: Clock
) -> None:
    serve_key(auth_service, "core")
    tokens = CoreTokens(key)
    for second in range(120):
        clock.now = float(second)
        with pytest.raises(InvalidToken):
            tokens.verify(signed(private_key("stranger"), sub=str(second)))
    assert asked(auth_service) == 2


def test_the_old_key_stays_when_the_new_one_cannot_be_had(
    auth_service: HTTPServer, key: FetchedKey, clock: Clock
) -> None:
    serve_key(auth_service, "core")
    tokens = CoreTokens(key)
    tokens.verify(signed(private_key("core")))
    serve(auth_service, "down for maintenance", status=503)
    clock.now += 60
    with pytest.raises(InvalidToken):
        tokens.verify(signed(private_key("stranger")))
    assert tokens.verify(signed(private_key("core"), sub="2"))["sub"] == "2"


def pem_of_a_curve() -> bytes:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def pem_of_the_future() -> bytes:
    """A key of an algorithm that nobody has heard of: 1.3.101.99, where 1.3.101.112 would be Ed25519."""
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).replace(b"\x2b\x65\x70", b"\x2b\x65\x63")
    return b"-----BEGIN PUBLIC KEY-----\n" + b64encode(der) + b"\n-----END PUBLIC KEY-----\n"


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "an error": {"body": "", "status": 500},
    "an error that holds the key": {"body": public_pem(private_key("core")), "status": 404},
    "nothing": {"body": ""},
    "a page": {"body": "<html>Sign in</html>", "content_type": "text/html"},
    "JSON": {"body": '{"keys": []}', "content_type": "application/json"},
    "half a key": {"body": public_pem(private_key("core"))[:200]},
    "garbage in a key": {"body": b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"},
    "bytes": {"body": bytes(range(256))},
    "an elliptic curve's key": {"body": pem_of_a_curve()},
    "a key of an unknown algorithm": {"body": pem_of_the_future()},
    "too much before the key": {"body": b"\n" * 20_000 + public_pem(private_key("core"))},
    "what is not compressed": {"body": "plain", "headers": {"Content-Encoding": "gzip"}},
    "a redirect that holds the key": {
        "body": public_pem(private_key("core")),
        "status": 302,
        "headers": {"Location": "/elsewhere"},
    },
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_answer_that_is_no_key_leaves_us_without_one(
    auth_service: HTTPServer, key: FetchedKey, answer: dict[str, Any]
) -> None:
    serve(auth_service, **answer)
    with pytest.raises(KeyUnavailable, match="Is AUTH_URL right"):
        key.current()
    assert key.generation == 0


def test_redirects_are_not_followed(auth_service: HTTPServer, key: FetchedKey) -> None:
    serve(auth_service, "", status=302, headers={"Location": auth_service.url_for("/elsewhere")})
    auth_service.expect_request("/elsewhere").respond_with_data(public_pem(private_key("core")))
    with pytest.raises(KeyUnavailable):
        key.current()
    assert [request.path for request, _ in auth_service.log] == ["/.well-known"]


def test_without_a_key_it_is_asked_for_every_two_seconds(
    auth_service: HTTPServer, key: FetchedKey, clock: Clock
) -> None:
    serve(auth_service, "", status=503)
    for _ in range(5):
        with pytest.raises(KeyUnavailable):
            key.current()
    assert asked(auth_service) == 1
    serve_key(auth_service, "core")
    clock.now += 1.9
    with pytest.raises(KeyUnavailable):
        key.current()
    clock.now += 0.1
    assert key.current() == private_key("core").public_key()


@pytest.fixture(scope="module")
def slow_service() -> Iterator[HTTPServer]:
    """A server of its own: what it still answers when its test is over must not be counted by the next."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def let_go() -> Iterator[threading.Event]:
    """Set when the test ends, so that hanging answers do."""
    event = threading.Event()
    yield event
    event.set()


Hang = Callable[[threading.Event], Response]


def before_the_answer(let_go: threading.Event) -> Response:
    let_go.wait(10)
    return Response("")


def in_the_middle_of_the_answer(let_go: threading.Event) -> Response:
    def slowly() -> Iterator[bytes]:
        yield b"-----BEGIN PUBLIC KEY-----\n"
        let_go.wait(10)

    return Response(slowly(), headers={"Content-Length": "450"})


@pytest.mark.parametrize("hang", [before_the_answer, in_the_middle_of_the_answer])
def test_a_slow_auth_service_is_not_waited_for(slow_service: HTTPServer, let_go: threading.Event, hang: Hang) -> None:
    slow_service.expect_request(f"/{hang.__name__}/.well-known").respond_with_handler(lambda _: hang(let_go))
    key = FetchedKey(slow_service.url_for(f"/{hang.__name__}"), timeout=(1.0, 0.2))
    with pytest.raises(KeyUnavailable):
        key.current()


def test_an_answer_that_breaks_off_leaves_us_without_a_key(auth_service: HTTPServer, key: FetchedKey) -> None:
    serve(auth_service, "", headers={"Content-Length": "450"})
    with pytest.raises(KeyUnavailable):
        key.current()


def test_fifty_threads_at_once_fetch_once(auth_service: HTTPServer, key: FetchedKey) -> None:
    serve_key(auth_service, "core")
    barrier = threading.Barrier(50)

    def use(_: int) -> object:
        barrier.wait()
        return key.current()

    with ThreadPoolExecutor(50) as pool:
        found = list(pool.map(use, range(50)))
    assert found == [private_key("core").public_key()] * 50
    assert asked(auth_service) == 1


def test_threads_that_wait_for_a_failing_auth_service_do_not_ask_one_after_the_other(
    auth_service: HTTPServer,
) -> None:
    """Each ask takes 3 seconds by this clock, longer than the pause after which one may ask again."""
    clock, barrier = Clock(), threading.Barrier(8)

    def fail(_: Request) -> Response:
        clock.now += 3.0
        return Response("", 503)

    auth_service.expect_request("/.well-known").respond_with_handler(fail)
    key = FetchedKey(auth_service.url_for("").rstrip("/"), clock=clock)

    def use(_: int) -> bool:
        barrier.wait()
        with pytest.raises(KeyUnavailable):
            key.current()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(8)))
    assert asked(auth_service) == 1


@pytest.fixture
def app_without_core(
    make_settings: Callable[..., Settings], make_app: Callable[[Settings], Flask], sqlite_url: str
) -> Flask:
    """Its AUTH_URL is a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return make_app(make_settings(DATABASE_URL=sqlite_url, AUTH_URL=f"http://127.0.0.1:{port}"))


def test_a_token_that_cannot_be_judged_is_answered_503(app_without_core: Flask) -> None:
    answer = app_without_core.test_client().post(
        "/triggers/user/2fa",
        json=USER_SAMPLES["2fa"],
        headers={"Authorization": f"Bearer {signed(private_key('core'))}"},
    )
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert error_of(answer) == "Service unavailable"


def test_without_a_token_no_key_is_needed(app_without_core: Flask) -> None:
    assert app_without_core.test_client().post("/triggers/user/2fa", json=USER_SAMPLES["2fa"]).status_code == 200


def test_a_token_is_judged_by_the_key_of_the_auth_service(
    auth_service: HTTPServer,
    make_settings: Callable[..., Settings],
    make_app: Callable[[Settings], Flask],
    sqlite_url: str,
) -> None:
    serve_key(auth_service, "core")
    client = make_app(make_settings(DATABASE_URL=sqlite_url, AUTH_URL=auth_service.url_for("/"))).test_client()
    statuses = [
        client.post(
            "/triggers/user/2fa",
            json=USER_SAMPLES["2fa"],
            headers={"Authorization": f"Bearer {signed(private_key(name))}"},
            environ_base={"REMOTE_ADDR": "203.0.113.7"},
        ).status_code
        for name in ("core", "stranger", "core")
    ]
    assert statuses == [200, 401, 200]
    assert asked(auth_service) == 1
