"""The whole way of the two recovery links of core 2.1: received, planned, rendered, and found in the inbox."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select, update
from werkzeug import Request, Response

from app import logs
from app.composition.worker import create_worker
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import attempts, deliveries, triggers
from app.encryption import Cipher
from app.notifications.inbox import Inbox, InboxMessage
from app.outbox.states import Reason, State
from app.outbox.worker import Worker
from app.settings import Settings

EMAIL, MOBILE = "amina.mwale@registry.test", "0977111222"
TOKEN = "q3+Zp/8nRw1xT5uYbK2mJg=="
LINK = "https://login.registry.test/recover?token=q3%2BZp%2F8nRw1xT5uYbK2mJg%3D%3D"
NAMES = ["password-reset-link", "username-reminder-link"]
EACH_LINK = pytest.mark.parametrize("name", NAMES)


@dataclass(frozen=True)
class Server:
    """A server and its worker."""

    app: Flask
    worker: Worker
    inbox: Inbox
    database: Database

    def ask_for(self, name: str, recipient: dict[str, Any], prefix: str = "/trigger") -> None:
        """Post the trigger as core does, and do what follows from it."""
        payload = {"recipient": recipient, "token": TOKEN}
        answer = self.app.test_client().post(f"{prefix}/user/{name}", json=payload)
        assert (answer.status_code, answer.json) == (200, {})

    def work(self) -> None:
        self.worker.run_until_idle()

    def message(self) -> InboxMessage:
        """The only message in the inbox."""
        (message,) = self.inbox.newest()
        return message

    def delivery(self) -> Any:
        """The only delivery to a person."""
        with self.database.reading() as connection:
            return connection.execute(select(deliveries).where(deliveries.c.channel != "plan")).one()

    def secrets(self) -> bytes | None:
        with self.database.reading() as connection:
            kept: bytes | None = connection.execute(select(triggers.c.secrets)).scalar_one()
            return kept


@pytest.fixture
def serve(
    make_app: Callable[[Settings], Flask],
    make_settings: Callable[..., Settings],
    database_url: str,
    database: Database,
    cipher: Cipher,
) -> Iterator[Callable[..., Server]]:
    workers: list[Worker] = []

    def make(**environ: str) -> Server:
        settings = make_settings(DATABASE_URL=database_url, LOGIN_URL="https://login.registry.test/", **environ)
        workers.append(create_worker(settings))
        return Server(make_app(settings), workers[-1], Inbox(database, cipher), database)

    yield make
    for worker in workers:
        worker.close()


@EACH_LINK
@pytest.mark.parametrize("prefix", ["/trigger", "/triggers"])
def test_the_link_goes_to_the_users_e_mail_address(serve: Callable[..., Server], name: str, prefix: str) -> None:
    server = serve()
    server.ask_for(name, {"email": EMAIL, "mobile": MOBILE}, prefix)
    server.work()
    message = server.message()
    assert (message.channel, message.to) == ("email", (EMAIL,))
    assert f'href="{LINK}"' in message.html
    assert f"{LINK}\n" in message.text
    assert TOKEN not in message.html + message.text


@EACH_LINK
@pytest.mark.parametrize(
    ("methods", "recipient", "channel"),
    [
        ("sms", {"email": EMAIL, "mobile": MOBILE}, "sms"),
        ("email,sms", {"mobile": MOBILE}, "sms"),
        ("sms,email", {"email": EMAIL}, "email"),
    ],
)
def test_it_goes_by_the_method_that_the_settings_name_and_the_user_has(
    serve: Callable[..., Server], name: str, methods: str, recipient: dict[str, Any], channel: str
) -> None:
    server = serve(USER_NOTIFICATION_DELIVERY_METHOD=methods)
    server.ask_for(name, recipient)
    server.work()
    message = server.message()
    assert message.channel == channel
    assert message.text.rstrip().endswith(LINK) or channel == "email"
    assert LINK in message.text


@EACH_LINK
def test_a_user_without_an_address_is_answered_alike_and_nothing_is_sent(
    serve: Callable[..., Server], name: str
) -> None:
    server = serve()
    server.ask_for(name, {})
    server.work()
    assert server.inbox.newest() == []
    assert (server.delivery().state, server.delivery().reason) == (State.DROPPED, "no address for email")
    assert server.secrets() is None


@EACH_LINK
@pytest.mark.parametrize("methods", ["email", "sms"])
def test_the_token_is_kept_until_the_link_is_out_and_then_erased(
    serve: Callable[..., Server], name: str, methods: str
) -> None:
    server = serve(USER_NOTIFICATION_DELIVERY_METHOD=methods)
    server.ask_for(name, {"email": EMAIL, "mobile": MOBILE})
    assert server.secrets() is not None
    server.work()
    assert server.delivery().state == State.SENT
    assert server.secrets() is None


@EACH_LINK
def test_a_link_that_core_does_not_take_any_more_is_not_sent(serve: Callable[..., Server], name: str) -> None:
    server = serve(RECOVERY_LINK_TTL="900")
    server.ask_for(name, {"email": EMAIL})
    with server.database.transaction() as connection:
        connection.execute(update(triggers).values(received_at=now() - 901))
    server.work()
    assert server.inbox.newest() == []
    assert (server.delivery().state, server.delivery().reason) == (State.DROPPED, Reason.EXPIRED)
    assert server.secrets() is None


@EACH_LINK
def test_a_gateway_that_repeats_the_message_leaves_no_token_behind(
    serve: Callable[..., Server], name: str, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repeat(request: Request) -> Response:
        text = request.args["text"]
        encoded = quote(text, safe="")
        return Response(f"not taken: {text} as {encoded} in {quote(encoded, safe='')} with {TOKEN}", 400)

    httpserver.expect_request("/send").respond_with_handler(repeat)
    server = serve(
        USER_NOTIFICATION_DELIVERY_METHOD="sms",
        PHONE_REGION="ZM",
        SMS_PROVIDER="http",
        SMS_HTTP_METHOD="GET",
        SMS_HTTP_URL=f"{httpserver.url_for('/send')}?to={{{{number}}}}&text={{{{text}}}}",
        SMS_HTTP_SUCCESS="status:2xx",
    )
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure(Settings.from_env({"APP_ENV": "test", "LOG_LEVEL": "debug"}))
    server.ask_for(name, {"mobile": MOBILE})
    server.work()
    with server.database.reading() as connection:
        tried = connection.execute(select(attempts).where(attempts.c.outcome == "failed")).one()
    kept = json.dumps([str(server.delivery().reason), *map(str, tried)]) + written.getvalue()
    assert server.delivery().state == State.FAILED
    assert "not taken" in kept
    assert "nRw1xT5u" not in kept
