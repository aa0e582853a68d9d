"""Receipts of SMS providers, over HTTP: what is true moves a delivery on, what is forged changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from app.database.clock import now
from app.database.identifiers import new_id
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.notifications.sms.receipts.addresses import ReceiptAddresses
from app.outbox import store
from app.outbox.delivery import NewDelivery
from app.outbox.states import Priority, State
from app.settings import Settings
from tests.conftest import SECRET_KEY

BASE = "https://country-config.registry.test/receipts"
TOKEN = "0123456789abcdef0123456789abcdef"
EMAIL = NewDelivery("email", channel="email", destination="inbox", priority=Priority.TRANSACTIONAL, payload={"to": []})


class Server:
    """A web server, and one SMS that a provider has taken."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.database = app.extensions["database"]
        trigger_id, cipher = new_id(), Cipher([SECRET_KEY])
        sms = NewDelivery("sms", "sms", "sms:twilio", Priority.TRANSACTIONAL, payload={"to": []}, otherwise=EMAIL)
        with self.database.transaction() as connection:
            kept = {"id": trigger_id, "path": "user/2fa", "request_id": "r", "payload": cipher.encrypt({})}
            connection.execute(insert(triggers).values(received_at=now(), **kept))
            store.add(connection, self.database, cipher, [(trigger_id, sms)])
            connection.execute(deliveries.update().values(state=State.SENT, attempts=1, provider_id="SM1"))
            self.id = str(connection.scalar(select(deliveries.c.id)))

    def twilio(self, form: dict[str, str], token: str = TOKEN, delivery_id: str | None = None) -> int:
        url = f"{BASE}/twilio/{delivery_id or self.id}"
        signature = RequestValidator(token).compute_signature(url, form)
        path = url.removeprefix("https://country-config.registry.test")
        return self.client.post(path, data=form, headers={"X-Twilio-Signature": signature}).status_code

    def infobip(self, body: Any, token: str | None = None) -> int:
        address = ReceiptAddresses(BASE, [SECRET_KEY]).of_infobip(self.id)
        path = address.removeprefix("https://country-config.registry.test")
        return self.client.post(path if token is None else f"{path[:-32]}{token}", data=json.dumps(body)).status_code

    def states(self) -> dict[str, str]:
        with self.database.reading() as connection:
            return {row.channel: row.state for row in connection.execute(select(deliveries))}


@pytest.fixture
def make_server(
    make_app: Callable[[Settings], Flask], make_settings: Callable[..., Settings], database_url: str
) -> Callable[..., Server]:
    def make(**environ: str) -> Server:
        receipts = {"RECEIPTS_URL": BASE, "TWILIO_AUTH_TOKEN": TOKEN}
        return Server(make_app(make_settings(DATABASE_URL=database_url, **receipts | environ)))

    return make


def test_twilio_says_that_it_arrived(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.twilio({"MessageSid": "SM1", "MessageStatus": "delivered"}) == 204
    assert server.states() == {"sms": "delivered"}


def test_what_did_not_arrive_goes_by_the_next_way(make_server: Callable[..., Server]) -> None:
    server = make_server()
    undelivered = {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"}
    assert server.twilio(undelivered) == 204
    assert server.states() == {"sms": "failed", "email": "queued"}
    assert server.twilio(undelivered) == 204
    assert server.states() == {"sms": "failed", "email": "queued"}


def test_a_forged_receipt_changes_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.twilio({"MessageSid": "SM1", "MessageStatus": "failed"}, token="another") == 403
    assert server.infobip({"results": []}, token="0" * 32) == 403
    assert server.states() == {"sms": "sent"}


def test_infobip_says_that_it_arrived(make_server: Callable[..., Server]) -> None:
    server = make_server()
    status = {"groupId": 3, "groupName": "DELIVERED", "id": 5, "name": "DELIVERED_TO_HANDSET", "description": "…"}
    assert server.infobip({"results": [{"messageId": "SM1", "status": status}]}) == 204
    assert server.states() == {"sms": "delivered"}


@pytest.mark.parametrize("body", [[], {}, {"results": [1]}, {"results": [{"status": {}}]}])
def test_what_is_no_receipt_is_said_so(make_server: Callable[..., Server], body: Any) -> None:
    assert make_server().infobip(body) == 422


def test_a_receipt_of_no_delivery_is_404(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.twilio({"MessageSid": "SM1", "MessageStatus": "delivered"}, delivery_id=new_id()) == 404


def test_without_a_public_address_nothing_is_there(make_server: Callable[..., Server]) -> None:
    server = make_server(RECEIPTS_URL="")
    assert server.twilio({"MessageSid": "SM1", "MessageStatus": "delivered"}) == 404
    assert server.infobip({"results": []}) == 404


def test_a_huge_receipt_is_not_read(make_server: Callable[..., Server]) -> None:
    server = make_server()
    assert server.infobip({"results": [], "more": "x" * 300_000}) == 413


def test_the_token_of_an_address_is_not_logged(
    make_server: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_server().infobip({"results": []}, token="0" * 32) == 403
    captured = capsys.readouterr()
    (line,) = (line for line in (captured.out + captured.err).splitlines() if "request.refused" in line)
    assert "/receipts/infobip/<delivery_id>/<token>" in line
    assert "0" * 32 not in line
