"""What is counted of requests, and under which names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from app.metrics.received import UNKNOWN, Received
from app.metrics.requests import Names, count_requests
from app.settings import Settings
from app.triggers.samples import USER_SAMPLES
from tests.decisions.conftest import Country, pending, question
from tests.metrics.scraping import Figures, parsed


def scraped(client: FlaskClient) -> Figures:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return parsed(answer.text)


@pytest.mark.parametrize(
    ("path", "body", "trigger", "status"),
    [
        pytest.param("/triggers/user/2fa", USER_SAMPLES["2fa"], "user/2fa", "200", id="taken"),
        pytest.param("/trigger/user/2fa", USER_SAMPLES["2fa"], "user/2fa", "200", id="singular"),
        pytest.param("/triggers/user/2fa", {}, "user/2fa", "400", id="invalid"),
        pytest.param("/email", {}, "email", "400", id="email"),
        pytest.param("/triggers/system/ready", {}, "system/ready", "401", id="without a token"),
        pytest.param("/trigger/telemetry", {}, "telemetry", "404", id="another server's"),
        pytest.param("/triggers/events/birth/actions/REGISTER", {}, "events/REGISTER", "401", id="an action"),
        pytest.param("/trigger/events/birth/actions/declare", {}, "events/DECLARE", "401", id="in small letters"),
    ],
)
def test_a_trigger_is_counted_by_its_name_and_answer(
    client: FlaskClient, path: str, body: dict[str, Any], trigger: str, status: str
) -> None:
    before = scraped(client).of("triggers_total", trigger=trigger, status=status) or 0
    client.post(path, json=body)
    after = scraped(client)
    assert after.of("triggers_total", trigger=trigger, status=status) == before + 1
    assert after.total("triggers_total") == 1
    assert after.of("trigger_duration_seconds_count", trigger=trigger) == 1
    assert after.of("trigger_duration_seconds_bucket", trigger=trigger, le="10.0") == 1
    assert after.total("decisions_total") == 0


@pytest.mark.parametrize("trigger", ["user/2fa", "events/REGISTER", "email", "system/ready", UNKNOWN])
def test_a_trigger_that_was_never_called_stands_at_zero(client: FlaskClient, trigger: str) -> None:
    for status in ("200", "503"):
        assert scraped(client).of("triggers_total", trigger=trigger, status=status) == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/triggers/made/up"),
        ("POST", "/triggers/user/made-up"),
        ("POST", "/triggers/user/2fa/"),
        ("POST", "/triggers//user/2fa"),
        ("POST", "/triggers/made-up"),
        ("POST", "/triggers/made/up/made/up/made/up"),
        ("POST", "/triggers/events/birth/actions/MADE_UP"),
        ("POST", "/triggers/events/birth/made-up/REGISTER"),
        ("POST", "/triggers/events/"),
        ("PUT", "/triggers/made/up"),
    ],
)
def test_what_is_made_up_adds_no_label(client: FlaskClient, method: str, path: str) -> None:
    before = scraped(client).values_of("trigger")
    client.open(path, method=method, json={})
    after = scraped(client)
    assert after.values_of("trigger") == before
    assert "made" not in client.get("/metrics").text
    assert after.total("triggers_total") == 1
    assert after.of("trigger_duration_seconds_count", trigger=UNKNOWN) == 1


@pytest.mark.parametrize("event_type", ["birth", "v2.secret-of-the-country", "actions"])
def test_an_event_type_is_no_label(client: FlaskClient, event_type: str) -> None:
    client.post(f"/triggers/events/{event_type}/actions/REGISTER", json={})
    after = scraped(client)
    assert event_type not in {value for _, labels in after for _, value in labels}
    assert after.of("triggers_total", trigger="events/REGISTER", status="401") == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ping"),
        ("GET", "/metrics"),
        ("GET", "/nowhere"),
        ("POST", "/confirmations/1/accept"),
        ("OPTIONS", "/triggers/user/2fa"),
    ],
)
def test_what_is_no_trigger_is_not_counted(client: FlaskClient, method: str, path: str) -> None:
    client.open(path, method=method)
    assert scraped(client).total("triggers_total") == 0


def test_another_method_is_counted_with_the_trigger(client: FlaskClient) -> None:
    client.get("/triggers/user/2fa")
    assert scraped(client).of("triggers_total", trigger="user/2fa", status="405") == 1


def test_a_countrys_own_trigger_has_its_name(
    make_settings: Callable[..., Settings], sqlite_url: str, make_app: Callable[[Settings], Flask], tmp_path: Path
) -> None:
    (tmp_path / "rules.py").write_text(
        "from app.country import trigger\ntrigger('hospital/birth/notice', fields={}, message='notice')\n"
    )
    client = make_app(make_settings(DATABASE_URL=sqlite_url, COUNTRY_DIR=str(tmp_path))).test_client()
    client.post("/triggers/hospital/birth/notice", json={"recipient": {}})
    assert scraped(client).of("triggers_total", trigger="hospital/birth/notice", status="200") == 1


@pytest.mark.parametrize(
    ("answer", "status", "counted"),
    [("Accept()", 200, "accepted"), ("Reject('no')", 400, "rejected"), ("Defer('later')", 202, "deferred")],
)
def test_what_core_is_told_of_an_action_is_counted_each_time(
    make_settings: Callable[..., Settings],
    make_app: Callable[[Settings], Flask],
    sqlite_url: str,
    tmp_path: Path,
    answer: str,
    status: int,
    counted: str,
) -> None:
    (tmp_path / "rules.py").write_text(
        f"from app.country import *\n@on_action('*', '*')\ndef rule(action):\n    return {answer}\n"
    )
    settings = make_settings(DATABASE_URL=sqlite_url, COUNTRY_DIR=str(tmp_path))
    country = Country(make_app(settings), settings)
    document = question("DECLARE")
    assert pending(document)["type"] == "DECLARE"
    for _ in range(2):
        assert country.ask(document).status_code == status
    figures = scraped(country.app.test_client())
    assert figures.of("decisions_total", action="DECLARE", answer=counted) == 2
    assert figures.total("decisions_total") == 2
    assert figures.of("triggers_total", trigger="events/DECLARE", status=str(status)) == 2
    assert figures.of("decisions_total", action="REGISTER", answer="accepted") == 0


def test_two_applications_in_one_process_count_apart(make_app: Callable[[Settings], Flask], settings: Settings) -> None:
    first, second = make_app(settings).test_client(), make_app(settings).test_client()
    first.post("/triggers/user/2fa", json=USER_SAMPLES["2fa"])
    assert scraped(first).total("triggers_total") == 1
    assert scraped(second).total("triggers_total") == 0


def test_figures_are_shown_to_trusted_networks_alone(client: FlaskClient) -> None:
    refused = client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.7"})
    assert refused.status_code == 403
    assert "TRUSTED_NETWORKS" in refused.text
    assert "country_config" not in refused.text
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 403


class Broken(Received):
    """Cannot count."""

    def count(self, *_: object) -> None:
        raise OSError("no space left on device")


def test_an_answer_is_given_where_it_cannot_be_counted() -> None:
    app = Flask("answering")
    names = Names(["user/2fa"], [], [])
    count_requests(app, names, Broken(CollectorRegistry(), names.triggers, names.actions))
    app.add_url_rule("/triggers/user/2fa", view_func=lambda: Response("taken"))
    with capture_logs() as logs:
        answer = app.test_client().get("/triggers/user/2fa")
    assert (answer.status_code, answer.text) == (200, "taken")
    assert [line["event"] for line in logs] == ["metrics.crashed"]
