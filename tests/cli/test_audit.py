"""`country-config audit`: who did what by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from app.cli import commands
from app.database import audit
from app.database.audit import Author, What
from app.database.engine import Database
from app.encryption import Cipher
from app.outbox.delivery import Failed, NewDelivery
from app.outbox.states import Priority
from tests.conftest import SECRET_KEY
from tests.outbox.conftest import Outbox

Run = Callable[..., Result]


@pytest.fixture
def outbox(database: Database) -> Outbox:
    """With three deliveries: two have failed, one was never tried."""
    outbox = Outbox(database, Cipher([SECRET_KEY]))
    outbox.owe(owed("email"), owed("email.2"))
    outbox.run(email=lambda _: Failed("refused"))
    outbox.owe(owed("email"))
    return outbox


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str, **environ: str) -> Result:
        own = {"APP_ENV": "test", "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, list(arguments), env=own | environ)

    return invoke


def owed(key: str) -> NewDelivery:
    return NewDelivery(key, "email", "smtp", Priority.TRANSACTIONAL, "user-created", "ami***@***.test", {})


def cells(result: Result) -> list[list[str]]:
    """Of a table that was printed, its header first."""
    return [re.split(" {2,}", line) for line in result.stdout.splitlines()]


def kept(database: Database) -> list[tuple[str, str]]:
    """What was done to what, the oldest first."""
    return [(row.what, row.subject) for row in reversed(audit.newest(database, 50))]


def test_where_nothing_was_done_it_says_so(run: Run) -> None:
    assert run("audit", "list").output == "Nothing was done by hand.\n"


def test_what_is_done_to_the_outbox_is_kept_for_each_delivery_and_destination(outbox: Outbox, run: Run) -> None:
    first, second, _ = (row.id for row in outbox.all())
    run("outbox", "retry", first, second, "no-such-id")
    run("outbox", "cancel", first)
    run("outbox", "pause", "smtp")
    run("outbox", "resume", "smtp")
    run("outbox", "retry", "--all")
    done = kept(outbox.database)
    assert set(done[:2]) == {("outbox.retry", first), ("outbox.retry", second)}
    assert done[2:] == [
        ("outbox.cancel", first),
        ("outbox.pause", "smtp"),
        ("outbox.resume", "smtp"),
        ("outbox.retry", "all"),
    ]


def test_what_changed_nothing_is_not_kept(outbox: Outbox, run: Run) -> None:
    run("outbox", "retry", "no-such-id")
    run("outbox", "cancel", "no-such-id")
    run("outbox", "pause", "no-such-destination")
    run("clients", "create", "mosip", "--permission", "no-such-permission")
    run("clients", "revoke", "mosip")
    assert kept(outbox.database) == []


def test_what_is_done_to_clients_is_kept_once_and_without_the_key(database: Database, run: Run) -> None:
    key = run("clients", "create", "mosip", "--permission", "confirmations:write").stdout.strip()
    run("clients", "create", "mosip", "--permission", "confirmations:write")
    run("clients", "revoke", "mosip")
    run("clients", "revoke", "mosip")
    assert kept(database) == [("client.create", "mosip"), ("client.revoke", "mosip")]
    assert key not in repr(audit.newest(database, 50))


def test_the_list_says_who_did_what_to_what_the_newest_first(database: Database, run: Run) -> None:
    with database.transaction() as connection:
        audit.record(connection, Author("client mosip", "request-1"), What.CONFIRMATION_ACCEPT, ["action-1"])
    run("clients", "create", "mosip", "--permission", "confirmations:write")
    header, newest, first = cells(run("audit", "list"))
    assert header == ["Time (UTC)", "Who", "What", "Subject", "Request"]
    assert newest[2:] == ["client.create", "mosip"]
    assert newest[1].startswith("operator ")
    assert first[1:] == ["client mosip", "confirmation.accept", "action-1", "request-1"]


def test_the_list_can_be_of_one_subject_or_short(database: Database, run: Run) -> None:
    for name in ("one", "two"):
        run("clients", "create", name, "--permission", "confirmations:write")
    assert [row[3] for row in cells(run("audit", "list", "--limit", "1"))[1:]] == ["two"]
    assert [row[3] for row in cells(run("audit", "list", "--subject", "one"))[1:]] == ["one"]


def test_an_operator_is_the_user_of_the_system_and_who_became_that_user(database: Database, run: Run) -> None:
    run("clients", "create", "one", "--permission", "confirmations:write")
    run("clients", "create", "two", "--permission", "confirmations:write", SUDO_USER="amina")
    by_sudo, alone = (row.who for row in audit.newest(database, 2))
    assert alone.startswith("operator ")
    assert by_sudo == f"{alone}, sudo by amina"
