"""`POST /reindex`, as core calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import text
from werkzeug.test import TestResponse

from app.access import development
from app.analytics.reindexing import NOT_SET_UP, UNMARKED, UNREADABLE
from app.analytics.store import STALE, AnalyticsStore
from app.database.engine import Database
from app.settings import Settings
from tests.analytics.conftest import count
from tests.analytics.stored import in_table
from tests.analytics.test_rows import accepted
from tests.records.documents import EVENTS, action, document, nested, uuid

Json = dict[str, Any]
Send = Callable[..., TestResponse]

CONFIGS: list[Json] = [
    {
        "id": "birth",
        "analytics": True,
        "declaration": {
            "pages": [
                {"id": "child", "fields": [{"id": "child.dob", "analytics": True}, {"id": "child.name"}]},
                {"id": "mother", "fields": [{"id": "mother.nid", "analytics": False}]},
            ]
        },
        "actions": [{"type": "REGISTER", "review": {"fields": [{"id": "review.weight", "analytics": True}]}}],
    },
    {"id": "tennis-club-membership", "declaration": {"pages": [{"fields": [{"id": "x", "analytics": True}]}]}},
]


@pytest.fixture
def configs(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/events").respond_with_json(CONFIGS)
    return httpserver.url_for("/events")


@pytest.fixture
def make_send(
    make_settings: Callable[..., Settings], make_app: Callable[[Settings], Flask], sqlite_url: str, configs: str
) -> Callable[..., Send]:
    """Calls with a token like core's for a reindex; claims and settings can be changed."""

    def make(**environ: str) -> Send:
        settings = make_settings(**{"DATABASE_URL": sqlite_url, "EVENT_CONFIG_URL": configs} | environ)
        app = make_app(settings)

        def send(body: Any, **claims: Any) -> TestResponse:
            own = {"aud": ["opencrvs:gateway-user", "opencrvs:events-user"], "scope": ["type=record.reindex"]}
            token = development.sign(settings.instance_dir, **(own | claims))
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            return app.test_client().post(
                "/reindex", data=content, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
            )

        return send

    return make


@pytest.fixture
def send(make_send: Callable[..., Send], analytics_url: str) -> Send:
    return make_send(ANALYTICS_DATABASE_URL=analytics_url)


def birth(number: int = 0, **declaration: Any) -> Json:
    declared = {"child.dob": "2026-01-01", "child.name": {"firstname": "Amina"}, "mother.nid": "77"} | declaration
    declare = accepted(
        "DECLARE", number * 10 + 2, 1, declaration=declared, annotation={"review.weight": 3, "note": "x"}
    )
    return document(accepted("CREATE", number * 10 + 1), declare, id=uuid(number))


def test_a_batch_is_written_with_marked_fields_only(send: Send, store: AnalyticsStore) -> None:
    answer = send([birth(1), birth(2)])
    assert answer.get_json() == {"received": 2, "written": 2, "skipped": []}
    rows = in_table(store)
    assert len(rows) == 4
    assert rows[1]["declaration"] == {"child_dob": "2026-01-01"}
    assert rows[1]["annotation"] == {"review_weight": 3}


def test_one_bad_event_never_fails_a_batch(send: Send, store: AnalyticsStore) -> None:
    malformed = birth(2) | {"actions": [action("DECLARE", 3) | {"type": "unheard of"}]}
    deep = birth(3, **{"child.dob": nested(900)})
    no_id = birth(4) | {"id": "not-an-id Amina"}
    answer = send([birth(1), malformed, deep, no_id, 5, None, document(type="marriage", id=uuid(5)), birth(6)])
    assert answer.status_code == 200
    said = answer.get_json()
    assert (said["received"], said["written"]) == (8, 2)
    assert [one["id"] for one in said["skipped"]] == [uuid(2), uuid(3), None, None, None, uuid(5)]
    assert "Not an action type" in said["skipped"][0]["reason"]
    assert said["skipped"][-1]["reason"] == UNMARKED
    assert "Amina" not in answer.get_data(as_text=True)
    assert {row["event_id"] for row in in_table(store)} == {uuid(1), uuid(6)}


def test_an_action_of_a_newer_core_is_left_out_of_an_event_that_is_written(send: Send, store: AnalyticsStore) -> None:
    event = birth(1)
    event["actions"].insert(1, accepted("REVOKE_REGISTRATION", 99, 2, declaration={"child.dob": "1999-01-01"}))
    assert send([event]).get_json() == {"received": 1, "written": 1, "skipped": []}
    assert [row["action_type"] for row in in_table(store)] == ["CREATE", "DECLARE"]
    assert in_table(store)[1]["declaration"] == {"child_dob": "2026-01-01"}


def test_one_that_no_parser_reads_is_said_by_its_id(send: Send) -> None:
    long = json.dumps(birth(1, **{"child.dob": 0})).replace('"child.dob": 0', '"child.dob": ' + "9" * 5_000)
    answer = send(f"[{long}, {json.dumps(birth(2))}]".encode())
    assert answer.get_json() == {"received": 2, "written": 1, "skipped": [{"id": uuid(1), "reason": UNREADABLE}]}


def test_what_is_sent_twice_is_written_once_and_what_is_older_is_said(send: Send, store: AnalyticsStore) -> None:
    newer = birth(1) | {"updatedAt": "2026-02-01T00:00:00.000Z"}
    assert send([newer]).get_json()["written"] == 1
    assert send([newer]).get_json()["written"] == 1
    assert send([birth(1)]).get_json() == {"received": 1, "written": 0, "skipped": [{"id": uuid(1), "reason": STALE}]}
    assert len(in_table(store)) == 2


def test_lone_surrogates_and_nul_are_taken(send: Send, store: AnalyticsStore) -> None:
    assert send([birth(1, **{"child.dob": "x\0\ud800"})]).get_json()["written"] == 1
    assert in_table(store)[1]["declaration"] == {"child_dob": "x\ufffd"}


def test_all_events_of_the_contract_are_received(send: Send) -> None:
    said = send(EVENTS).get_json()
    births = [event for event in EVENTS if event["type"] == "birth"]
    assert (said["received"], said["written"]) == (len(EVENTS), len(births))
    assert {one["reason"] for one in said["skipped"]} == {UNMARKED}


def test_an_empty_batch_is_fine(send: Send) -> None:
    assert send([]).get_json() == {"received": 0, "written": 0, "skipped": []}


@pytest.mark.parametrize("body", [b"{}", b"[1,", b""], ids=["object", "cut", "empty"])
def test_what_is_no_array_is_refused(send: Send, body: bytes) -> None:
    assert send(body).status_code == 400


def test_more_than_a_batch_holds_is_refused(send: Send) -> None:
    assert send([{}] * 5_001).status_code == 413


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({}, 200),
        ({"aud": ["opencrvs:countryconfig-user"]}, 200),
        ({"scope": ["type=record.reindex&event=birth,death"]}, 200),
        ({"scope": ["type=record.read&event=birth", "record.reindex"]}, 200),
        ({"scope": "record.read record.reindex"}, 200),
        ({"scope": ["type=record.reindexed"]}, 403),
        ({"aud": ["opencrvs:gateway-user"]}, 401),
        ({"scope": ["record.read"]}, 403),
        ({"scope": []}, 403),
        ({"iss": "somebody"}, 401),
    ],
)
def test_only_a_token_for_a_reindex_is_taken(make_send: Callable[..., Send], claims: Json, status: int) -> None:
    assert make_send()([], **claims).status_code == status


def test_without_a_token_it_is_refused_even_from_a_trusted_network(make_send: Callable[..., Send], app: Flask) -> None:
    assert app.test_client().post("/reindex", json=[]).status_code == 401


def test_while_it_is_not_known_what_may_be_kept_nothing_is(
    make_send: Callable[..., Send], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/away").respond_with_data("", status=500)
    answer = make_send(EVENT_CONFIG_URL=httpserver.url_for("/away"))([birth(1)])
    assert answer.status_code == 503
    assert "EVENT_CONFIG_URL" in answer.get_json()["details"][0]["message"]


def test_a_database_that_is_away_is_said(make_send: Callable[..., Send]) -> None:
    answer = make_send(ANALYTICS_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")([birth(1)])
    assert answer.status_code == 503


def test_in_production_without_a_database_nothing_is_kept_and_that_is_said(make_send: Callable[..., Send]) -> None:
    environ = {"APP_ENV": "production", "AUTH_URL": "http://127.0.0.1:1", "DOMAIN": "registry.test"}
    environ |= {"LOGIN_URL": "http://login.test", "SENDER_EMAIL_ADDRESS": "a@registry.test", "SMTP_HOST": "127.0.0.1"}
    from app.composition.analytics import analytics_of
    from app.composition.configurations import event_configurations
    from app.country import Country
    from tests.conftest import SECRET_KEY

    settings = Settings.from_env(environ | {"SECRET_KEY": SECRET_KEY})
    analytics = analytics_of(settings, Country(), event_configurations(settings))
    report = analytics.reindexing.write([json.dumps(birth(1)).encode()])
    assert [one.reason for one in report.skipped] == [NOT_SET_UP]


def test_every_configuration_of_a_country_can_be_declared_in_rules(
    make_send: Callable[..., Send], analytics_url: str, store: AnalyticsStore, tmp_path: Any
) -> None:
    (tmp_path / "rules.py").write_text(
        "from app.country import analytics, birth_figures\n"
        "analytics('birth', fields=['mother.nid'], computed=birth_figures)\n"
    )
    send = make_send(ANALYTICS_DATABASE_URL=analytics_url, COUNTRY_DIR=str(tmp_path))
    assert send([birth(1)]).get_json()["written"] == 1
    assert in_table(store)[1]["declaration"] == {"mother_nid": "77", "child_age_days": 0}


def test_a_batch_is_committed_when_it_is_answered(make_send: Callable[..., Send], bare_postgresql: str) -> None:
    send = make_send(ANALYTICS_DATABASE_URL=bare_postgresql)
    send([birth(number) for number in range(1, 301)])
    store = AnalyticsStore(Database(bare_postgresql))
    assert (count(store, "event_actions"), count(store, "event_versions")) == (600, 300)
    with store.database.reading() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
    store.database.close()
