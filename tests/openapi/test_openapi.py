"""The description of the API: complete, right, and nothing that fits it makes a 500."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate

from app import create_app
from app.access import clients, development
from app.database.engine import Database
from app.encryption import Cipher
from app.settings import Settings
from app.triggers.allow_list import USER_TRIGGERS
from app.webhooks.subscription import Wish
from app.webhooks.subscriptions import Subscriptions

_NOT_DESCRIBED = re.compile(r"/(inbox|messages|docs|console)(/.*)?|/|/triggers/telemetry")  # for people; not ours


@pytest.fixture
def app(settings_of: Settings) -> Iterator[Flask]:
    app = create_app(settings_of)
    yield app
    app.extensions["database"].close()


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    answer: Any = app.test_client().get("/openapi.json")
    found: dict[str, Any] = answer.json
    return found


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_route_is_described_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not _NOT_DESCRIBED.fullmatch(rule.rule) and not rule.rule.startswith("/trigger/")
    }
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    catch_all = {("post", "/triggers/{resource}/{action}"), ("post", "/triggers/{resource}/{subresource}/{action}")}
    users = {(method, path) for method, path in described if re.fullmatch(r"/triggers/user/[a-z0-9-]+", path)}
    assert routes - catch_all == described - users
    assert len(users) == 12


def test_a_country_sees_its_own_triggers(
    make_settings: Callable[..., Settings], sqlite_url: str, tmp_path: Any
) -> None:
    (tmp_path / "rules.py").write_text(
        "from app.country import fields, trigger\n"
        'trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="discharge")\n'
    )
    app = create_app(make_settings(DATABASE_URL=sqlite_url, COUNTRY_DIR=str(tmp_path)))
    answer: Any = app.test_client().get("/openapi.json")
    described = answer.json["paths"]["/triggers/hospital/discharge"]["post"]
    assert "ward" in described["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert described["security"] == [{"core": []}, {"client": []}]
    assert "triggers:send" in described["description"]
    app.extensions["database"].close()


@pytest.mark.parametrize(
    ("path", "security", "who"),
    [
        ("/triggers/user/2fa", [{"core": []}], "core's auth service"),
        ("/triggers/user/user-created", [{"core": []}], "user.create"),
        ("/triggers/user/username-reminder", [{"core": []}, {}], "TOKENLESS_CALLERS"),
        ("/triggers/user/all-user-notification", [{"core": []}, {}], "TOKENLESS_CALLERS"),
        ("/triggers/system/ready", [{"core": []}], ""),
        ("/email", [], "TOKENLESS_CALLERS"),
    ],
)
def test_each_trigger_says_who_may_send_it(
    document: dict[str, Any], path: str, security: list[dict[str, Any]], who: str
) -> None:
    described = document["paths"][path]["post"]
    assert described["security"] == security
    assert who in described.get("description", "")


def test_people_can_read_it(app: Flask, document: dict[str, Any]) -> None:
    page = app.test_client().get("/docs")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for path in document["paths"]:
        assert path in page.text
    assert not re.search(r"(src|href)=\"https?:", page.text)


def test_nothing_that_fits_it_makes_a_500(app: Flask, database_of: Database, settings_of: Settings) -> None:
    client = clients.create(database_of, "schemathesis", ["webhooks:manage", "confirmations:write"])
    kept = Subscriptions(database_of, Cipher(settings_of.secret_keys))
    statuses = Counter[int]()
    for result in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        subscription = kept.create(client.client.id, Wish("http://192.0.2.1/", ("*",)), "whsec_" + "c2VjcmV0" * 4)
        headers = credentials_for(operation.path, settings_of, client.key)
        statuses += statuses_of(operation, headers, subscription.id)
    assert {200, 202, 204, 404, 422} <= set(statuses)


def credentials_for(path: str, settings: Settings, key: str) -> dict[str, str]:
    """The header that each operation takes; none for /email, which comes without."""
    if re.match("/(v2|webhooks|confirmations)", path):
        return {"Authorization": f"Bearer {key}"}
    if path == "/email":
        return {}
    grants = USER_TRIGGERS.get(path.removeprefix("/triggers/user/"), ())
    token = development.sign_for(settings.instance_dir, grants) if grants else development.sign(settings.instance_dir)
    return {"Authorization": f"Bearer {token}"}


def statuses_of(operation: Any, headers: dict[str, str], subscription_id: str) -> Counter[int]:
    """What calls that fit the description are answered with."""
    statuses = Counter[int]()

    @settings(
        max_examples=15,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def call(case: Any) -> None:
        if "subscription_id" in case.path_parameters:
            case.path_parameters["subscription_id"] = subscription_id
        answer = case.call(headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code != 500, (case.method, case.path, answer.text)
        if answer.status_code >= 400 and not case.path.startswith("/health"):
            assert set(json.loads(answer.text)) == {"error", "details"}

    call()
    return statuses


@pytest.fixture
def settings_of(make_settings: Callable[..., Settings], sqlite_url: str) -> Settings:
    return make_settings(DATABASE_URL=sqlite_url)


@pytest.fixture
def database_of(app: Flask) -> Database:
    found: Database = app.extensions["database"]
    return found
