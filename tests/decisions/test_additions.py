"""What a country adds to what it accepts, where the form of the event is known, and where it is not."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from pytest_httpserver import HTTPServer
from structlog.testing import capture_logs
from werkzeug import Request, Response

from app.cli import commands
from app.encryption import Cipher
from app.notifications.inbox import Inbox
from app.outbox.worker import Worker
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import DEFER, Country, Late, pending, question
from tests.decisions.test_core_2_1 import CLIENT
from tests.metrics.scraping import parsed
from tests.opencrvs.core_events import CLIENT_SECRET, Core
from tests.records.configurations import BIRTH

MakeCountry = Callable[..., Country]
MakeLate = Callable[..., Late]

CORE_2_1: dict[str, Any] = {
    "sub": "__SERVICE_USER__",
    "userType": "system",
    "scope": [],
    "eventId": None,
    "actionId": None,
}

ADDED = {
    "declaration": {"child.dob": "2024-02-29", "child.checked": True, "child.weight": "3 kg"},
    "annotation": {"register.note": "seen", "dog": "Amina"},
}
FITTING: dict[str, Any] = {"declaration": {"child.dob": "2024-02-29"}, "annotation": {"register.note": "seen"}}
ADD = f"@on_action('birth', '*')\ndef add(action):\n    return Accept(**{ADDED})\n"
ADD_LATER = (
    "from pathlib import Path\n@on_action('birth', '*')\ndef add(action):\n"
    f"    Path(__file__).with_name('go').read_text()\n    return Accept(**{ADDED})\n"
)
LONG = 10.0  # seconds


def fetched() -> None:
    """What fetches configurations in the background has ended."""
    for thread in threading.enumerate():
        if thread.name == "event-configurations":
            thread.join(LONG)


@pytest.fixture
def config_server(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/events").respond_with_json([BIRTH])
    return httpserver.url_for("/events")


@pytest.fixture
def hanging_server(httpserver: HTTPServer) -> Iterator[str]:
    go = threading.Event()

    def hang(_: Request) -> Response:
        go.wait(LONG)
        return Response("[]", mimetype="application/json")

    httpserver.expect_request("/events").respond_with_handler(hang)
    yield httpserver.url_for("/events")
    go.set()
    fetched()


@pytest.fixture
def make_known(make_country: MakeCountry, config_server: str) -> MakeCountry:
    """A country whose event configurations are known."""

    def make(rules: str, **environ: str) -> Country:
        country = make_country(rules, EVENT_CONFIG_URL=config_server, **environ)
        fetched()
        return country

    return make


@pytest.fixture
def late(make_late: MakeLate, config_server: str, core: Core) -> Late:
    made = make_late(DEFER, EVENT_CONFIG_URL=config_server, **at_core_2_1(core))
    fetched()
    return made


def at_core_2_1(core: Core) -> dict[str, str]:
    """The settings of a country with a client of its own there."""
    core.upgrade()
    core.register(CLIENT)
    return {"SYSTEM_CLIENT_ID": CLIENT, "SYSTEM_CLIENT_SECRET": CLIENT_SECRET}


def answered(country: Country, document: dict[str, Any]) -> dict[str, Any]:
    """The additions of the answer, with which core goes on."""
    answer = country.ask(document, **CORE_2_1)
    assert answer.status_code == 200
    return {key: value for key, value in answer.get_json().items() if key != "registrationNumber"}


def left_out(country: Country) -> float | None:
    return parsed(country.app.test_client().get("/metrics").text).of("additions_left_out_total")


def test_what_the_form_does_not_take_is_left_out_of_the_answer(make_known: MakeCountry) -> None:
    country = make_known(ADD)
    assert left_out(country) == 0
    document = question("REGISTER")
    with capture_logs() as logs:
        assert answered(country, document) == FITTING
    alerts = [one for one in logs if one["event"] == "addition.left_out"]
    assert [(one["log_level"], one["part"], one["field"]) for one in alerts] == [
        ("error", "declaration", "child.checked"),
        ("error", "declaration", "child.weight"),
        ("error", "annotation", "dog"),
    ]
    assert {(one["event_id"], one["action_id"], one["event_type"]) for one in alerts} == {
        (document["id"], pending(document)["id"], "birth")
    }
    assert alerts[1]["reason"] == "is not a valid value of a NUMBER field: use a number"
    assert not any(value in str(alerts) for value in ("3 kg", "Amina"))
    assert left_out(country) == 3


def test_the_same_question_gets_the_same_answer_and_one_alert(make_known: MakeCountry) -> None:
    country = make_known(ADD)
    document = question("REGISTER")
    assert country.ask(document, **CORE_2_1).json == country.ask(document, **CORE_2_1).json
    assert left_out(country) == 3


def test_where_nothing_is_left_nothing_is_sent(make_known: MakeCountry) -> None:
    rules = "@on_action('*', '*')\ndef add(action):\n    return Accept(declaration={'cat': 1}, annotation={'dog': 2})\n"
    assert answered(make_known(rules), question("DECLARE")) == {}


def test_an_operator_is_mailed_once_a_day_for_each_action_type(
    make_known: MakeCountry, make_worker: Callable[[Country], Worker]
) -> None:
    country = make_known(ADD, ALERT_EMAIL="operator@registry.test")
    documents = [question("REGISTER"), question("REGISTER"), question("DECLARE")]
    for document in documents:
        country.ask(document, **CORE_2_1)
    make_worker(country).run_until_idle()
    mails = Inbox(country.database, Cipher([SECRET_KEY])).newest(10)
    alerts = [mail for mail in mails if "rules.py" in mail.subject]
    assert {tuple(mail.to) for mail in alerts} == {("operator@registry.test",)}
    assert len(alerts) == 2
    register = next(mail for mail in alerts if "REGISTER" in mail.html)
    assert "child.checked" in register.html
    assert "use a number" in register.html
    assert "3 kg" not in register.html
    assert "Amina" not in register.html


def test_without_an_alert_email_nobody_is_mailed(
    make_known: MakeCountry, make_worker: Callable[[Country], Worker]
) -> None:
    country = make_known(ADD)
    country.ask(question("REGISTER"), **CORE_2_1)
    make_worker(country).run_until_idle()
    assert Inbox(country.database, Cipher([SECRET_KEY])).newest(10) == []


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1/events"])
def test_without_a_configuration_additions_are_sent_as_they_are(make_country: MakeCountry, url: str) -> None:
    country = make_country(ADD, EVENT_CONFIG_URL=url)
    fetched()
    assert answered(country, question("REGISTER")) == ADDED
    assert left_out(country) == 0


def test_core_does_not_wait_for_a_configuration_server_that_hangs(
    make_country: MakeCountry, hanging_server: str
) -> None:
    assert answered(make_country(ADD, EVENT_CONFIG_URL=hanging_server), question("REGISTER")) == ADDED


def test_an_event_type_without_a_configuration_is_not_checked(make_known: MakeCountry) -> None:
    rules = "@on_action('*', '*')\ndef add(action):\n    return Accept(declaration={'cat': 1})\n"
    assert answered(make_known(rules), question("DECLARE", "death")) == {"declaration": {"cat": 1}}


def test_core_2_0_takes_every_field_and_gets_it(make_known: MakeCountry) -> None:
    country = make_known(ADD)
    answer = country.ask(question("REGISTER"))
    assert {key: answer.get_json()[key] for key in ADDED} == ADDED
    assert left_out(country) == 0


def test_what_core_2_0_asked_is_held_against_the_form_once_core_2_1_is_there(late: Late) -> None:
    late.core.downgrade()
    document = late.defer("REGISTER")
    late.core.upgrade()
    late.defer("DECLARE", **CORE_2_1)
    assert late.say(document, "accept", None, declaration={"cat": 1}) == 422


def test_what_is_decided_late_is_held_against_the_form_too(make_late: MakeLate, config_server: str, core: Core) -> None:
    late = make_late(ADD_LATER, EVENT_CONFIG_URL=config_server, **at_core_2_1(core))
    fetched()
    document = late.defer("REGISTER", **CORE_2_1)
    assert late.country.settings.country_dir is not None
    (late.country.settings.country_dir / "go").touch()
    with capture_logs() as logs:
        late.work()
    (call,) = late.core.calls
    assert {key: call.fields[key] for key in ("declaration", "annotation")} == FITTING
    assert len([one for one in logs if one["event"] == "addition.left_out"]) == 3
    assert late.state(document) == "confirmed"


def test_what_was_decided_for_core_2_0_is_confirmed_at_core_2_1_without_what_that_refuses(late: Late) -> None:
    late.core.downgrade()
    document = late.defer("REGISTER")
    assert late.say(document, "accept", None, **ADDED) == 202
    late.core.upgrade()  # before the worker has told core
    with capture_logs() as logs:
        late.work()
    of_2_0, of_2_1 = ({key: call.fields[key] for key in ("declaration", "annotation")} for call in late.core.calls)
    assert (of_2_0, of_2_1) == (ADDED, FITTING)
    assert len([one for one in logs if one["event"] == "addition.left_out"]) == 3
    assert late.state(document) == "confirmed"


def test_another_system_is_told_which_field_core_would_refuse(late: Late) -> None:
    document = late.defer("REGISTER", **CORE_2_1)
    answer = late.country.app.test_client().post(
        f"/confirmations/{pending(document)['id']}/accept",
        json=ADDED,
        headers={"Authorization": f"Bearer {late.key}"},
    )
    assert answer.status_code == 422
    assert [one["path"] for one in answer.get_json()["details"]] == [
        ["declaration", "child.checked"],
        ["declaration", "child.weight"],
        ["annotation", "dog"],
    ]
    assert "3 kg" not in answer.text
    assert late.state(document) == "deferred"
    assert late.say(document, "accept", None, **FITTING) == 202
    late.work()
    assert late.core.calls[0].fields["declaration"] == FITTING["declaration"]


def test_what_is_accepted_already_is_not_checked_again(late: Late) -> None:
    document = late.defer("REGISTER", **CORE_2_1)
    assert late.say(document, "accept", None, **FITTING) == 202
    assert late.say(document, "accept", None, declaration={"cat": 1}) == 409
    assert late.say(document, "accept", None, **FITTING) == 202


def test_an_operator_is_told_which_field_core_would_refuse(late: Late, config_server: str) -> None:
    document = late.defer("REGISTER", **CORE_2_1)
    environ = {
        "APP_ENV": "test",
        "DATABASE_URL": late.country.settings.database_url,
        "SECRET_KEY": SECRET_KEY,
        "EVENT_CONFIG_URL": config_server,
        "SYSTEM_CLIENT_ID": CLIENT,
        "SYSTEM_CLIENT_SECRET": CLIENT_SECRET,
    }

    def accept(declaration: str, **changed: str) -> tuple[int, str]:
        arguments = ["confirmations", "accept", pending(document)["id"], "--declaration", declaration]
        result = CliRunner().invoke(commands, arguments, env=environ | changed)
        return result.exit_code, result.output

    status, output = accept('{"child.checked": true}')
    assert status == 1
    assert "Core would refuse it: child.checked of the declaration is not a field" in output
    assert late.state(document) == "deferred"
    status, output = accept('{"child.checked": true}', EVENT_CONFIG_URL="http://127.0.0.1:1/events")
    assert status == 0
    assert "The declaration is not checked against the event's form: EVENT_CONFIG_URL: no answer" in output
    assert late.state(document) == "confirming"
