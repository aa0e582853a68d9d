"""Several real processes on one question, and one that is killed while it decides."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from app.access import clients, development
from app.database.engine import Database
from app.database.tables import decisions
from app.settings import Settings
from tests.cli.processes import LONG_ENOUGH, Command, answers, free_port, wait_for
from tests.decisions.conftest import CONFIRMING, DEFER, pending, question
from tests.decisions.test_core_2_1 import CLIENT, SERVICE
from tests.opencrvs.core_events import CLIENT_SECRET, Core

# Counts its runs; the first waits to be killed where the test says so.
RULES = """
import threading
from pathlib import Path
from app.country import Accept, on_action, registration_number

@on_action("*", "*")
def rule(action):
    with Path({ran!r}).open("a") as file:
        file.write("x")
    if Path({hang!r}).exists():
        threading.Event().wait(30)
    return Accept(declaration={{"checked": True}})

@registration_number("*")
def number(action, serial):
    return f"{{action.year}}-{{serial:06d}}"
"""


class Drill:
    """A country with rules, on a database, run by real processes."""

    def __init__(self, settings: Settings, environ: dict[str, str], directory: Path) -> None:
        self.settings = settings
        self.environ = environ
        self.directory = directory
        self.ran = directory / "ran"
        self.hang = directory / "hang"
        self.started: list[Command] = []
        (directory / "rules.py").write_text(RULES.format(ran=str(self.ran), hang=str(self.hang)))

    def start(self, *arguments: str, **more: str) -> Command:
        output = self.directory / f"output-{len(self.started)}"
        self.started.append(Command(list(arguments), self.environ | more, output))
        return self.started[-1]

    def web(self, **more: str) -> tuple[Command, int]:
        port = free_port()
        command = self.start("web", COUNTRY_CONFIG_PORT=str(port), **more)
        wait_for(lambda: answers(port))
        return command, port

    def ask(self, port: int, document: dict[str, Any], **claims: Any) -> requests.Response:
        own = {"eventId": document["id"], "actionId": pending(document)["id"], "userType": "user", "scope": CONFIRMING}
        token = development.sign(self.settings.instance_dir, **(own | claims))
        return requests.post(
            f"http://127.0.0.1:{port}/trigger/events/{document['type']}/actions/{pending(document)['type']}",
            json=document,
            headers={"Authorization": f"Bearer {token}"},
            timeout=LONG_ENOUGH,
        )

    def accept(self, port: int, key: str, document: dict[str, Any]) -> None:
        answer = requests.post(
            f"http://127.0.0.1:{port}/confirmations/{pending(document)['id']}/accept",
            headers={"Authorization": f"Bearer {key}"},
            timeout=LONG_ENOUGH,
        )
        assert answer.status_code == 202

    def states(self) -> set[str]:
        database = Database(self.settings.database_url)
        with database.reading() as connection:
            found = set(connection.scalars(select(decisions.c.state)))
        database.close()
        return found

    def state(self) -> str:
        database = Database(self.settings.database_url)
        with database.reading() as connection:
            found = str(connection.scalar(select(decisions.c.state)))
        database.close()
        return found


@pytest.fixture
def drill(make_settings: Callable[..., Settings], database_url: str, core: Core, tmp_path: Path) -> Iterator[Drill]:
    directory = tmp_path / "country"
    directory.mkdir()
    settings = make_settings(DATABASE_URL=database_url)
    development.public_key(settings.instance_dir)
    environ = {
        "APP_ENV": "test",
        "DECISION_TIMEOUT": "60",
        "DATABASE_URL": database_url,
        "INSTANCE_DIR": str(settings.instance_dir),
        "SECRET_KEY": settings.secret_keys[0],
        "COUNTRY_CONFIG_HOST": "127.0.0.1",
        "COUNTRY_DIR": str(directory),
        "GATEWAY_URL": core.url,
    }
    made = Drill(settings, environ, directory)
    yield made
    for command in made.started:
        command.end()


def test_fifty_who_ask_several_processes_at_once_run_the_rules_once_and_get_one_answer(drill: Drill) -> None:
    ports = [drill.web(WEB_CONCURRENCY="2")[1] for _ in range(2)]
    document = question("REGISTER")
    with ThreadPoolExecutor(25) as pool:
        said = list(pool.map(lambda number: drill.ask(ports[number % 2], document), range(50)))
    assert {answer.status_code for answer in said} == {200}
    assert {answer.text for answer in said} == {'{"declaration":{"checked":true},"registrationNumber":"2026-000001"}'}
    assert drill.ran.read_text() == "x"


def test_who_is_killed_while_deciding_strands_no_record(drill: Drill, core: Core) -> None:
    drill.hang.touch()
    server, port = drill.web()
    document = question("REGISTER")
    core.keep(document)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(drill.ask, port, document)
        wait_for(drill.ran.exists)
        os.killpg(server.process.pid, signal.SIGKILL)
        assert isinstance(asked.exception(LONG_ENOUGH), requests.ConnectionError)
    assert drill.state() == "deciding"
    drill.hang.unlink()
    _expire_the_lease(drill)
    drill.start("worker")
    wait_for(lambda: drill.state() == "confirmed")
    (call,) = core.calls
    assert call.fields["registrationNumber"] == "2026-000001"
    _, again = drill.web()
    answer = drill.ask(again, document)
    assert (answer.status_code, answer.json()["registrationNumber"]) == (200, "2026-000001")


def test_core_is_upgraded_while_actions_wait_and_the_worker_is_killed_on_the_way(drill: Drill, core: Core) -> None:
    (drill.directory / "rules.py").write_text(f"from app.country import *\n{DEFER}")
    core.register(CLIENT)
    drill.environ |= {"SYSTEM_CLIENT_ID": CLIENT, "SYSTEM_CLIENT_SECRET": CLIENT_SECRET}
    database = Database(drill.settings.database_url)
    key = clients.create(database, "civil-registry", ["confirmations:write"]).key
    database.close()
    _, port = drill.web()
    before, after = [question("REGISTER") for _ in range(4)], [question("REGISTER") for _ in range(4)]
    for document in before + after:
        core.keep(document)
    for document in before:
        assert drill.ask(port, document).status_code == 202
    core.upgrade()
    for document in after:
        assert drill.ask(port, document, **SERVICE).status_code == 202
    for document in before + after:
        core.assigned.add(document["id"])
        drill.accept(port, key, document)
    worker = drill.start("worker")
    wait_for(lambda: len(core.calls) >= 3)
    worker.kill()
    core.assigned.clear()
    _expire_the_lease(drill)
    drill.start("worker")
    wait_for(lambda: drill.states() == {"confirmed"})
    assert [len(core.inserted(document["id"])) for document in before + after] == [1] * 8


def _expire_the_lease(drill: Drill) -> None:
    """As if a minute had passed."""
    database = Database(drill.settings.database_url)
    with database.transaction() as connection:
        connection.exec_driver_sql("UPDATE decisions SET lease_until = 0")
        connection.exec_driver_sql("UPDATE deliveries SET due_at = 0")
    database.close()
