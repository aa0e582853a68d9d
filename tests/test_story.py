"""The whole way of the user triggers, with a real mail server: received, planned, rendered, sent, settled."""

from __future__ import annotations

import email
import io
import json
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import select, update

from app import logs
from app.composition.worker import create_worker
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import deliveries, destinations, triggers
from app.outbox import operations
from app.outbox.states import Reason, State
from app.outbox.worker import Worker
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.notifications.email.smtp_server import MailServer

PERSONAL = [name for name in USER_SAMPLES if name != "all-user-notification"]


class Story:
    """A server with its worker and its mail server."""

    def __init__(self, app: Flask, worker: Worker, mail_server: MailServer) -> None:
        self.client = app.test_client()
        self.database: Database = app.extensions["database"]
        self.worker = worker
        self.mail_server = mail_server

    def tell(self, name: str, **changes: object) -> None:
        """Post the sample of a user trigger."""
        answer = self.client.post(f"/triggers/user/{name}", json=dict(USER_SAMPLES[name]) | changes)
        assert (answer.status_code, answer.json) == (200, {})

    def work(self) -> None:
        self.worker.run_until_idle()

    def mails(self) -> list[EmailMessage]:
        parsed = [email.message_from_bytes(mail.content, policy=default) for mail in self.mail_server.received]
        assert all(isinstance(mail, EmailMessage) for mail in parsed)
        return parsed

    def owed(self) -> dict[str, tuple[str, str | None]]:
        """State and reason of all that is no plan, by its key."""
        with self.database.reading() as connection:
            rows = connection.execute(select(deliveries).where(deliveries.c.channel != "plan"))
            return {row.key: (row.state, row.reason) for row in rows}

    def make_due(self) -> None:
        operations.retry(self.database, None)

    def secrets(self) -> list[bytes | None]:
        with self.database.reading() as connection:
            return list(connection.scalars(select(triggers.c.secrets)))


@pytest.fixture
def tell_story(
    make_app: Callable[[Settings], Flask], make_settings: Callable[..., Settings], database_url: str
) -> Iterator[Callable[..., Story]]:
    workers: list[Worker] = []

    def make(mail_server: MailServer, **environ: str) -> Story:
        smtp = mail_server.settings()
        settings = make_settings(
            DATABASE_URL=database_url,
            SMTP_HOST=str(smtp.host),
            SMTP_PORT=str(smtp.port),
            SMTP_TIMEOUT="2",
            SENDER_EMAIL_ADDRESS="OpenCRVS <no-reply@registry.test>",
            DOMAIN="registry.test",
            **environ,
        )
        workers.append(create_worker(settings))
        return Story(make_app(settings), workers[-1], mail_server)

    yield make
    for worker in workers:
        worker.close()


@pytest.fixture
def story(tell_story: Callable[..., Story], mail_server: MailServer) -> Story:
    return tell_story(mail_server)


@pytest.mark.parametrize("name", PERSONAL)
def test_each_user_trigger_ends_as_one_mail_to_its_recipient(story: Story, name: str) -> None:
    story.tell(name)
    story.work()
    (mail,) = story.mails()
    assert mail["To"] == "amina.mwale@registry.test"
    assert mail["From"] == "OpenCRVS <no-reply@registry.test>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert story.owed() == {"email": (State.SENT, None)}
    text, html = (mail.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    sample = USER_SAMPLES[name]
    for field in ("code", "temporaryPassword", "newUsername"):
        if field in sample:
            assert sample[field] in text.get_content()
            assert sample[field] in html.get_content()


def test_an_announcement_goes_to_all_and_shows_nobody_the_others(story: Story) -> None:
    story.tell("all-user-notification")
    story.work()
    (received,) = story.mail_server.received
    assert sorted(received.rcpt_tos) == [
        "amina.mwale@registry.test",
        "g.phiri@registry.test",
        "joseph.banda@registry.test",
    ]
    assert b"amina.mwale" not in received.content
    assert story.mails()[0]["To"] == "joseph.banda@registry.test"


def test_codes_and_passwords_are_erased_once_their_mail_is_out(story: Story) -> None:
    for name in ("2fa", "user-created"):
        story.tell(name)
    assert None not in story.secrets()
    story.work()
    assert story.secrets() == [None, None]


def test_while_the_mail_server_is_down_triggers_are_taken_and_go_out_when_it_is_back(
    tell_story: Callable[..., Story], mail_server: MailServer
) -> None:
    mail_server.answers["BANNER"] = "421 closed for the night"
    story = tell_story(mail_server)
    for _ in range(12):
        story.tell("user-updated")
    story.work()
    assert story.mail_server.received == []
    with story.database.reading() as connection:
        assert connection.scalar(select(destinations.c.open_until).where(destinations.c.name == "smtp")) is not None
    del mail_server.answers["BANNER"]
    story.make_due()
    story.work()
    assert len(story.mail_server.received) == 12


def test_the_message_id_stays_the_same_over_retries(story: Story) -> None:
    story.mail_server.once["."] = "451 try again later"
    story.tell("user-updated")
    story.work()
    assert story.owed()["email"][0] == State.QUEUED
    story.make_due()
    story.work()
    ids = {mail["Message-ID"] for mail in story.mails()}
    with story.database.reading() as connection:
        delivery_id = connection.scalar(select(deliveries.c.id).where(deliveries.c.channel == "email"))
    assert ids == {f"<{delivery_id}@registry.test>"}


def test_an_address_that_does_not_exist_fails_at_once_and_says_so_masked(story: Story) -> None:
    story.mail_server.answers["amina.mwale@registry.test"] = "550 5.1.1 <amina.mwale@registry.test> unknown"
    story.tell("user-updated")
    story.work()
    state, reason = story.owed()["email"]
    assert state == State.FAILED
    assert reason is not None
    assert "550" in reason
    assert "amina" not in reason


def test_a_code_is_never_sent_past_its_life(story: Story) -> None:
    story.mail_server.once["."] = "451 try again later"
    story.tell("2fa")
    story.work()
    with story.database.transaction() as connection:
        connection.execute(update(deliveries).values(expires_at=now() - 1, due_at=now()))
    before = len(story.mail_server.received)
    story.work()
    assert story.owed()["email"] == (State.DROPPED, Reason.EXPIRED)
    assert len(story.mail_server.received) == before
    assert story.secrets() == [None]


def test_the_refused_of_a_partly_refused_mail_are_tried_again_alone(story: Story) -> None:
    story.mail_server.once["amina.mwale@registry.test"] = "451 greylisted"
    story.mail_server.answers["g.phiri@registry.test"] = "550 unknown"
    story.tell("all-user-notification")
    story.work()
    states = {key: state for key, (state, _) in story.owed().items()}
    assert states == {"email.1": State.SENT, "email.1.later.1": State.SENT, "email.1.refused.1": State.FAILED}
    assert [sorted(mail.rcpt_tos) for mail in story.mail_server.received] == [
        ["joseph.banda@registry.test"],
        ["amina.mwale@registry.test"],
    ]


def test_what_a_person_is_called_arrives_as_written(story: Story) -> None:
    name = {"firstname": "{{7*191}}<script>alert(1)</script>", "surname": "Mwale\r\nBcc: evil@registry.test"}
    recipient = {"name": name, "email": "amina.mwale@registry.test"}
    story.tell("username-reminder", recipient=recipient, username="${7*191} & <b>")
    story.work()
    (received,) = story.mail_server.received
    assert received.rcpt_tos == ("amina.mwale@registry.test",)
    (mail,) = story.mails()
    html, text = mail.get_body(["html"]), mail.get_body(["plain"])
    assert html is not None
    assert text is not None
    assert "1337" not in html.get_content() + text.get_content()
    assert "<script>" not in html.get_content()
    assert "{{7*191}}<script>alert(1)</script>" in text.get_content()
    assert "${7*191} & <b>" in text.get_content()


def test_sms_is_sent_where_that_is_the_method(tell_story: Callable[..., Story], mail_server: MailServer) -> None:
    story = tell_story(mail_server, USER_NOTIFICATION_DELIVERY_METHOD="sms")
    story.tell("2fa")
    story.work()
    assert story.owed() == {"sms": (State.SENT, None)}
    assert mail_server.received == []


def test_the_logs_of_all_this_show_nothing_in_clear(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure(Settings.from_env({"APP_ENV": "test", "LOG_LEVEL": "debug"}))
    story.mail_server.once["amina.mwale@registry.test"] = "550 5.1.1 <amina.mwale@registry.test> unknown"
    for name in USER_SAMPLES:
        story.tell(name)
    story.client.post("/triggers/user/2fa", json={"recipient": {"email": "amina.mwale@registry.test"}})
    story.work()
    said = written.getvalue()
    assert "delivery.ended" in said
    assert "delivery.failed" in said
    for secret in _texts(json.loads(json.dumps(USER_SAMPLES))):
        assert len(secret) < 5 or (secret not in said and quote(secret, safe="") not in said), secret


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value
