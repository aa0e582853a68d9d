"""From what was written down to what is owed, through the real worker and on both databases."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Row, func, select, update

from app import country
from app.composition.worker import create_worker
from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.outbox.states import Priority, Reason, State
from app.settings import Settings
from app.triggers.catalogue import trigger_types
from app.triggers.receiving import Receiver
from app.triggers.samples import USER_SAMPLES

ANNOUNCEMENT = USER_SAMPLES["all-user-notification"]
MINUTE = 60.0
PRODUCTION = {
    "APP_ENV": "production",
    "AUTH_URL": "http://127.0.0.1:9",
    "DOMAIN": "registry.test",
    "LOGIN_URL": "https://login.registry.test",
    "SENDER_EMAIL_ADDRESS": "no-reply@registry.test",
    "SMTP_HOST": "127.0.0.1",
    "TOKENLESS_CALLERS": "127.0.0.1",
}


class Outbox:
    """Triggers are received when a test says so, and all that is due is done when it says so, in this thread."""

    def __init__(self, settings: Settings, database: Database, cipher: Cipher) -> None:
        self.database = database
        self._kinds = trigger_types(country.load(settings.country_dir))
        self._receiver = Receiver(database, cipher)
        self._worker = create_worker(settings)

    def close(self) -> None:
        self._worker._database.close()

    def receive(self, path: str, payload: Mapping[str, Any]) -> str:
        """The id of the trigger."""
        return self._receiver.keep(self._kinds[path], payload, "request-42")

    def work(self) -> None:
        self._worker.run_until_idle()

    def announce(self, payload: Mapping[str, Any] = ANNOUNCEMENT) -> int:
        """Receive it and work; returns how many e-mails went out because of it."""
        before = self.sent()
        self.receive("user/all-user-notification", payload)
        self.work()
        return self.sent() - before

    def sent(self) -> int:
        """How many messages went out in all."""
        is_sent = (deliveries.c.channel == "email") & (deliveries.c.state == State.SENT)
        with self.database.reading() as connection:
            return connection.scalar(select(func.count()).select_from(deliveries).where(is_sent)) or 0

    def time_passes(self, minutes: float) -> None:
        """All that was received is that much older."""
        with self.database.transaction() as connection:
            connection.execute(update(triggers).values(received_at=triggers.c.received_at - minutes * MINUTE))

    def owed(self, trigger_id: str) -> dict[str, Row[Any]]:
        """The trigger's deliveries, by their key."""
        with self.database.reading() as connection:
            rows = connection.execute(select(deliveries).where(deliveries.c.trigger_id == trigger_id))
            return {row.key: row for row in rows}


@pytest.fixture
def outbox(
    make_settings: Callable[..., Settings], database_url: str, database: Database, cipher: Cipher
) -> Iterator[Outbox]:
    opened = Outbox(make_settings(DATABASE_URL=database_url), database, cipher)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", USER_SAMPLES)
def test_every_user_trigger_becomes_its_message(outbox: Outbox, name: str) -> None:
    trigger_id = outbox.receive(f"user/{name}", USER_SAMPLES[name])
    outbox.work()
    owed = outbox.owed(trigger_id)
    assert owed.pop("plan").state == State.SENT
    (message,) = owed.values()
    assert (message.message, message.channel, message.destination) == (name, "email", "inbox")
    assert (message.state, message.attempts, message.reason) == (State.SENT, 1, None)


@pytest.mark.parametrize("name", ["2fa", "reset-password", "change-phone-number", "change-email-address"])
def test_a_codes_time_runs_from_when_it_was_received(outbox: Outbox, name: str) -> None:
    trigger_id = outbox.receive(f"user/{name}", USER_SAMPLES[name])
    outbox.time_passes(minutes=4)
    outbox.work()
    with outbox.database.reading() as connection:
        received_at = connection.scalar(select(triggers.c.received_at)) or 0.0
    owed = outbox.owed(trigger_id)["email"]
    assert owed.priority == Priority.OTP
    assert owed.expires_at == pytest.approx(received_at + 600, abs=0.001)
    assert owed.expires_at == pytest.approx(time.time() + 6 * MINUTE, abs=30)


@pytest.mark.parametrize("name", ["password-reset-link", "username-reminder-link"])
def test_a_recovery_link_lives_for_an_hour_from_when_it_was_received(outbox: Outbox, name: str) -> None:
    in_time, too_late = (outbox.receive(f"user/{name}", USER_SAMPLES[name]) for _ in range(2))
    with outbox.database.transaction() as connection:
        for trigger_id, minutes in ((in_time, 58), (too_late, 61)):
            received_at = triggers.c.received_at - minutes * MINUTE
            connection.execute(update(triggers).where(triggers.c.id == trigger_id).values(received_at=received_at))
    outbox.work()
    assert outbox.owed(in_time)["email"].state == State.SENT
    dropped = outbox.owed(too_late)["email"]
    assert (dropped.state, dropped.reason) == (State.DROPPED, Reason.EXPIRED)


def test_a_code_whose_time_is_over_when_it_is_planned_is_never_sent(outbox: Outbox) -> None:
    trigger_id = outbox.receive("user/2fa", USER_SAMPLES["2fa"])
    outbox.time_passes(minutes=11)
    outbox.work()
    assert outbox.sent() == 0
    owed = outbox.owed(trigger_id)["email"]
    assert (owed.state, owed.reason) == (State.DROPPED, Reason.EXPIRED)


def test_what_is_owed_to_nobody_says_why_and_is_not_tried(outbox: Outbox) -> None:
    trigger_id = outbox.receive("user/user-created", {"recipient": {}, "username": "u", "temporaryPassword": "p"})
    outbox.work()
    owed = outbox.owed(trigger_id)["email"]
    assert (owed.state, owed.reason, owed.attempts) == (State.DROPPED, "no address for email", 0)
    assert owed.ended_at is not None
    with outbox.database.reading() as connection:
        assert connection.scalar(select(triggers.c.secrets)) is None


@pytest.mark.parametrize("address", ["\ud800bc@registry.test", "\0bc@registry.test", "abc@\udfff.test\0"], ids=ascii)
def test_an_address_that_no_text_column_can_hold_stops_nothing(outbox: Outbox, address: str) -> None:
    bad = outbox.receive("user/username-reminder", {"recipient": {"email": address}, "username": "u"})
    recipients = {"email": address, "bcc": [address]}
    also_bad = outbox.receive("user/all-user-notification", {**ANNOUNCEMENT, "recipient": recipients})
    outbox.receive("user/username-reminder", USER_SAMPLES["username-reminder"])
    outbox.work()
    assert outbox.sent() == 1
    assert outbox.owed(bad)["email"].state == State.FAILED
    assert outbox.owed(also_bad)["email.invalid"].state == State.FAILED


def test_a_trigger_that_is_no_longer_declared_fails_and_says_what_to_do(
    make_settings: Callable[..., Settings], sqlite_url: str, cipher: Cipher, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.py"
    rules.write_text('from app.country import trigger\ntrigger("hospital/discharge", fields={}, message="discharge")\n')
    kinds = trigger_types(country.load(tmp_path))
    database = Database(sqlite_url)
    Receiver(database, cipher).keep(kinds["hospital/discharge"], {"recipient": {}}, "request-42")
    rules.unlink()
    outbox = Outbox(make_settings(DATABASE_URL=sqlite_url, COUNTRY_DIR=str(tmp_path)), database, cipher)
    outbox.work()
    with database.reading() as connection:
        (plan,) = connection.execute(select(deliveries))
    assert plan.state == State.FAILED
    assert plan.reason == "no trigger hospital/discharge is declared any more: put it back into rules.py, then retry"
    outbox.close()
    database.close()


# --- what a core that tries again repeats


def test_a_part_of_an_announcement_that_is_repeated_within_the_hour_is_not_sent_again(outbox: Outbox) -> None:
    assert outbox.announce() == 1
    outbox.time_passes(minutes=59)
    repeat = outbox.receive("user/all-user-notification", ANNOUNCEMENT)
    outbox.work()
    assert outbox.sent() == 1
    owed = outbox.owed(repeat)
    assert list(owed) == ["plan"]
    assert (owed["plan"].state, owed["plan"].reason) == (State.DROPPED, Reason.REPEATED)


def test_after_an_hour_it_is_sent_again(outbox: Outbox) -> None:
    assert outbox.announce() == 1
    outbox.time_passes(minutes=61)
    assert outbox.announce() == 1


def test_the_hour_counts_from_the_one_that_was_sent(outbox: Outbox) -> None:
    assert outbox.announce() == 1
    outbox.time_passes(minutes=50)
    assert outbox.announce() == 0
    outbox.time_passes(minutes=20)
    assert outbox.announce() == 1
    outbox.time_passes(minutes=50)
    assert outbox.announce() == 0


def test_a_core_that_repeats_every_half_minute_is_heard_once_an_hour(outbox: Outbox) -> None:
    sent = []
    for _ in range(8):
        sent.append(outbox.announce())
        outbox.time_passes(minutes=20.1)
    assert sent == [1, 0, 0, 1, 0, 0, 1, 0]


def test_of_two_that_are_there_at_once_one_is_sent(outbox: Outbox) -> None:
    ids = [outbox.receive("user/all-user-notification", ANNOUNCEMENT) for _ in range(3)]
    outbox.work()
    assert outbox.sent() == 1
    assert [sorted(outbox.owed(trigger_id)) for trigger_id in sorted(ids)] == [["email.1", "plan"], ["plan"], ["plan"]]


def test_the_order_of_keys_and_unknown_keys_do_not_make_a_difference(outbox: Outbox) -> None:
    assert outbox.announce() == 1
    assert outbox.announce(dict(reversed(list(ANNOUNCEMENT.items())))) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.update(body=payload["body"] + "!"),
        lambda payload: payload.update(subject="Another"),
        lambda payload: payload["recipient"]["bcc"].append("c@registry.test"),
        lambda payload: payload["recipient"]["bcc"].reverse(),
        lambda payload: payload["recipient"].pop("email"),
    ],
    ids=["body", "subject", "one user more", "order of users", "no admin"],
)
def test_another_part_is_no_repeat(outbox: Outbox, change: Callable[[Any], None]) -> None:
    assert outbox.announce() == 1
    other = copy.deepcopy(dict(ANNOUNCEMENT))
    change(other)
    assert outbox.announce(other) == 1


@pytest.mark.parametrize("name", [name for name in USER_SAMPLES if name != "all-user-notification"])
def test_what_is_sent_to_one_person_is_never_taken_for_a_repeat(outbox: Outbox, name: str) -> None:
    for _ in range(2):
        outbox.receive(f"user/{name}", USER_SAMPLES[name])
    outbox.work()
    assert outbox.sent() == 2


# --- by the settings, through the whole server


@pytest.mark.parametrize(
    ("environ", "recipient", "owed"),
    [
        ({}, {"email": "a@b.test"}, ("email", State.SENT, None)),
        ({}, {"email": "a@example.com"}, ("email", State.DROPPED, Reason.DEMO_ADDRESS)),
        ({}, {}, ("email", State.DROPPED, "no address for email")),
        ({"USER_NOTIFICATION_DELIVERY_METHOD": "sms"}, {"mobile": "0977111222"}, ("sms", State.SENT, None)),
        ({"USER_NOTIFICATION_DELIVERY_METHOD": "sms,email"}, {"email": "a@b.test"}, ("email", State.SENT, None)),
        (
            {"USER_NOTIFICATION_DELIVERY_METHOD": ""},
            {"email": "a@b.test"},
            ("email", State.DROPPED, "switched off: USER_NOTIFICATION_DELIVERY_METHOD"),
        ),
        (
            PRODUCTION,
            {"mobile": "0977111222"},
            ("email", State.DROPPED, "no address for email"),
        ),
    ],
)
def test_the_settings_decide_and_the_answer_is_200_all_the_same(
    make_settings: Callable[..., Settings],
    make_app: Callable[[Settings], Flask],
    database: Database,
    database_url: str,
    environ: dict[str, str],
    recipient: dict[str, str],
    owed: tuple[str, State, str | None],
) -> None:
    settings = make_settings(DATABASE_URL=database_url, **environ)
    body = json.dumps({"recipient": recipient, "username": "a.mwale"})
    answer = (
        make_app(settings)
        .test_client()
        .post("/triggers/user/username-reminder", data=body, content_type="application/json")
    )
    assert (answer.status_code, answer.json) == (200, {})
    worker = create_worker(settings)
    worker.run_until_idle()
    worker._database.close()
    with database.reading() as connection:
        found = connection.execute(select(deliveries).where(deliveries.c.key != "plan")).one()
    assert (found.channel, found.state, found.reason) == owed
