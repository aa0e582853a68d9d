"""`country-config webhooks`: what an operator sees of receivers, and does about them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from app.cli import commands
from app.database import audit
from tests.conftest import SECRET_KEY
from tests.webhooks.conftest import Hooks, Receiver

Run = Callable[..., Result]


@pytest.fixture
def run(hooks: Hooks, database_url: str) -> Run:
    environ = {"APP_ENV": "test", "DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
    return lambda *arguments: CliRunner().invoke(commands, ["webhooks", *arguments], env=environ)


def test_where_there_are_none_it_is_said_how_one_is_made(run: Run) -> None:
    assert "docs/webhooks.md" in run("list").stdout


def test_each_is_listed_with_its_client_and_how_it_fares(hooks: Hooks, receiver: Receiver, run: Run) -> None:
    api = hooks.client("pension")
    well = api.subscribe(receiver.url("200"), "user.created")
    failing = api.subscribe(receiver.url("500") + "?key=hidden", "events.*.accepted")
    hooks.register()
    hooks.work()
    listed = run("list").stdout
    lines = {line.split()[0]: line for line in listed.splitlines()}
    assert lines[well["id"]].split()[1:] == [
        "pension",
        f"http://127.0.0.1:{receiver.port}",
        "user.created",
        "0",
        "well",
    ]
    assert " events.*.accepted " in lines[failing["id"]]
    assert " 1  " in lines[failing["id"]]
    assert "failing since 20" in lines[failing["id"]]
    assert "hidden" not in listed


def test_one_that_is_disabled_is_told_nothing_until_it_is_enabled(hooks: Hooks, receiver: Receiver, run: Run) -> None:
    api = hooks.client("pension")
    made = api.subscribe(receiver.url("200"), "events.*.accepted")
    assert run("disable", made["id"], "--reason", "it is being moved").exit_code == 0
    hooks.register()
    hooks.work()
    assert receiver.got() == []
    assert "disabled: by the operator: it is being moved" in run("list").stdout
    told = api.call("GET", f"/webhooks/subscriptions/{made['id']}").json
    assert (told["active"], told["disabledBecause"]) == (False, "by the operator: it is being moved")
    assert run("enable", made["id"]).exit_code == 0
    hooks.register()
    hooks.work()
    assert len(receiver.got()) == 1
    assert [entry.what for entry in audit.newest(hooks.database, 2)] == ["subscription.change", "subscription.change"]


@pytest.mark.parametrize("arguments", [("enable", "nothing"), ("disable", "nothing", "--reason", "x")])
def test_one_that_is_not_there_is_said(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
