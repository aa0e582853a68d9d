"""`country-config clients`: keys for the systems that call us."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from app.access import clients
from app.cli import commands
from app.database.engine import Database
from tests.conftest import SECRET_KEY

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str) -> Run:
    def invoke(*arguments: str) -> Result:
        environ = {"APP_ENV": "test", "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, ["clients", *arguments], env=environ)

    return invoke


def created(run: Run, name: str = "mosip") -> Result:
    return run("create", name, "--permission", "confirmations:write")


def test_create_prints_the_key_alone_on_stdout_and_explains_on_stderr(database: Database, run: Run) -> None:
    result = created(run)
    assert result.exit_code == 0
    key = result.stdout.removesuffix("\n")
    client = clients.authenticate(database, key)
    assert client is not None
    assert (client.name, client.permissions) == ("mosip", frozenset({"confirmations:write"}))
    assert key not in result.stderr
    for explained in ("mosip", "confirmations:write", "this once", "Authorization: Bearer"):
        assert explained in result.stderr


def test_the_key_is_never_shown_again(database: Database, run: Run) -> None:
    key = created(run).stdout.strip()
    for arguments in (("list",), ("revoke", "mosip"), ("list",), ("create", "mosip", "--permission", "x")):
        assert key not in run(*arguments).output
    again = created(run)
    assert again.exit_code == 1
    assert again.stdout == ""
    assert key not in again.stderr


def test_a_name_that_is_taken_is_refused(run: Run) -> None:
    created(run)
    result = created(run)
    assert result.exit_code == 1
    assert "There is a client mosip already" in result.stderr


@pytest.mark.parametrize("permission", ["confirmations:read", ""])
def test_an_unknown_permission_is_refused_with_those_there_are(database: Database, run: Run, permission: str) -> None:
    result = run("create", "mosip", "--permission", "confirmations:write", "--permission", permission)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Those there are: confirmations:write, webhooks:manage, triggers:send." in result.stderr
    assert clients.all(database) == []


def test_a_client_must_be_given_a_permission(run: Run) -> None:
    result = run("create", "mosip")
    assert result.exit_code == 2
    assert "--permission" in result.stderr


def test_a_bad_name_is_refused(run: Run) -> None:
    result = created(run, " ")
    assert result.exit_code == 1
    assert "printable" in result.stderr


def test_an_empty_list_says_how_to_make_one(run: Run) -> None:
    assert "clients create" in run("list").output


def test_the_list_shows_who_may_do_what_and_who_no_longer(run: Run) -> None:
    for name in ("mosip", "portal"):
        created(run, name)
    assert run("revoke", "portal").exit_code == 0
    header, mosip, portal = run("list").stdout.splitlines()
    assert header.split()[:2] == ["Name", "Permissions"]
    assert mosip.split()[:2] == ["mosip", "confirmations:write"]
    assert len(portal.split()) == len(mosip.split()) + 2


def test_a_revoked_key_stops(database: Database, run: Run) -> None:
    key = created(run).stdout.strip()
    assert "revoked" in run("revoke", "mosip").stdout
    assert clients.authenticate(database, key) is None


def test_an_unknown_client_cannot_be_revoked(run: Run) -> None:
    created(run)
    result = run("revoke", "mosp")
    assert result.exit_code == 1
    assert "Those there are: mosip." in result.stderr
