"""`country-config outbox`: what an operator sees and does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from structlog.testing import capture_logs

from app.cli import commands
from app.database.engine import Database
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sent
from app.outbox.states import Priority, State
from tests.conftest import SECRET_KEY
from tests.outbox.conftest import Outbox

Run = Callable[..., Result]


@pytest.fixture
def outbox(database: Database) -> Outbox:
    from app.encryption import Cipher

    return Outbox(database, Cipher([SECRET_KEY]))


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str) -> Result:
        environ = {"APP_ENV": "test", "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, ["outbox", *arguments], env=environ)

    return invoke


def owed(key: str = "email", **values: object) -> NewDelivery:
    return NewDelivery(key, "email", "smtp", Priority.TRANSACTIONAL, "user-created", "ami***@***.test", {}, **values)  # type: ignore[arg-type]


def fail(_delivery: Delivery) -> Outcome:
    return Failed("refused: 550 unknown user", "550 unknown user")


def sent(_delivery: Delivery) -> Outcome:
    return Sent("250 ok")


def test_an_empty_outbox_says_so(outbox: Outbox, run: Run) -> None:
    assert "nothing queued or failed" in run("list").output


def test_the_list_shows_masked_recipients_reasons_and_counts(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    outbox.run(email=fail)
    output = run("list").output
    for shown in (outbox.only().id, "failed", "user-created", "ami***@***.test", "550 unknown user", "1 failed"):
        assert shown in output


def test_a_page_has_at_least_one_row(run: Run) -> None:
    assert run("list", "--limit", "-1").exit_code == 2


def test_the_list_can_be_of_one_state(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    assert outbox.only().id in run("list", "--state", "queued").output
    assert outbox.only().id not in run("list", "--state", "failed").output


def test_working_out_what_is_owed_counts_as_no_message(outbox: Outbox, run: Run) -> None:
    planning = [NewDelivery(name, name, name, Priority.TRANSACTIONAL) for name in ("plan", "informant")]
    outbox.owe(owed(), *planning)
    with capture_logs() as logs:
        outbox.run(email=sent, plan=sent, informant=sent)
    assert [line["channel"] for line in logs if line["event"] == "delivery.ended"] == ["email"]
    output = run("list").output
    assert "In all: nothing queued or failed." in output
    assert "informant" not in output


def test_an_informant_who_is_told_nothing_is_listed_and_logged_with_the_reason(outbox: Outbox, run: Run) -> None:
    outbox.owe(NewDelivery("informant.1", "informant", "informant", Priority.TRANSACTIONAL))
    with capture_logs() as logs:
        outbox.run(informant=lambda _: Dropped("nobody: the informant rule names none"))
    assert [line["reason"] for line in logs if line["event"] == "delivery.ended"] == [outbox.only().reason]
    assert "names none" in run("list").output


def test_show_tells_each_try(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed(), secrets={"temporaryPassword": "Kafue-4827"})
    outbox.run(email=lambda _: Retry("450 mailbox busy"))
    outbox.set(due_at=0)
    outbox.run(email=fail)
    output = run("show", outbox.only().id).output
    assert "450 mailbox busy" in output
    assert "550 unknown user" in output
    assert "request-1" in output
    assert "Kafue-4827" not in output


def test_show_of_an_unknown_id_fails(run: Run) -> None:
    assert run("show", "nothing").exit_code == 1


def test_a_dead_letter_is_sent_after_retry(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    outbox.run(email=fail)
    assert "1 delivery is due now" in run("retry", outbox.only().id).output
    outbox.run(email=sent)
    assert outbox.only().state == State.SENT


def test_retry_all_makes_due_what_waits_failed_or_sits_behind_an_open_circuit(outbox: Outbox, run: Run) -> None:
    outbox.owe(*(owed(f"email.{number}") for number in range(8)))
    outbox.run(email=lambda _: Retry("connection refused", destination_down=True))
    assert "smtp is down" in run("list").output
    assert "8 deliveries are due now" in run("retry", "--all").output
    outbox.run(email=sent)
    assert {row.state for row in outbox.all()} == {State.SENT}


def test_what_is_being_sent_is_not_made_due(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    outbox.set(state=State.SENDING, lease_until=10, attempts=1)
    result = run("retry", outbox.only().id)
    assert result.exit_code == 1
    assert "it is being sent" in result.output
    assert outbox.only().state == State.SENDING


def test_what_lost_its_password_cannot_be_retried(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed(), secrets={"temporaryPassword": "Kafue-4827"})
    outbox.run(email=sent)
    outbox.set(state=State.FAILED)
    result = run("retry", outbox.only().id)
    assert "erased" in result.output
    assert outbox.only().state == State.FAILED


def test_cancel_drops_for_good_and_erases(outbox: Outbox, run: Run) -> None:
    trigger_id = outbox.owe(owed(), secrets={"temporaryPassword": "Kafue-4827"})
    assert run("cancel", outbox.only().id).exit_code == 0
    assert outbox.only().state == State.DROPPED
    assert outbox.trigger(trigger_id).secrets is None
    assert run("cancel", outbox.only().id).exit_code == 1


def test_a_paused_destination_waits_until_it_is_resumed(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    assert run("pause", "smtp").exit_code == 0
    outbox.run(email=sent)
    assert outbox.only().state == State.QUEUED
    assert "smtp is paused" in run("list").output
    assert "smtp is paused" in run("retry", "--all").output
    assert run("resume", "smtp").exit_code == 0
    outbox.run(email=sent)
    assert outbox.only().state == State.SENT


def test_an_unknown_destination_is_refused_with_those_there_are(outbox: Outbox, run: Run) -> None:
    outbox.owe(owed())
    result = run("pause", "smpt")
    assert result.exit_code == 1
    assert "smtp" in result.output


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "--all", "some-id"), ("cancel",)])
def test_a_change_must_say_of_what(run: Run, arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
