"""What is wrong with a request is never 400 here: that is a country's word alone."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app import create_app
from app.access import development
from tests.decisions.conftest import Country, pending, question

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "contract" / "payload-cases.jsonl").read_text().splitlines()
    if "/events/" in line[:60]
]


@pytest.fixture
def country(make_country: Callable[..., Country]) -> Country:
    return make_country()


def waiting(payload: Any) -> dict[str, Any] | None:
    """The last pending action of a payload of any form."""
    actions = payload.get("actions", []) if isinstance(payload, dict) else []
    actions = [action for action in actions if isinstance(action, dict)]
    answered = {action.get("originalActionId") for action in actions if action.get("status") != "Requested"}
    found = [action for action in actions if action.get("status") == "Requested" and action["id"] not in answered]
    return found[-1] if found else None


@pytest.mark.parametrize("case", CASES, ids=[f"{case['path'][16:]} {case['note']}" for case in CASES])
def test_the_verdict_on_a_body_is_cores(country: Country, case: dict[str, Any]) -> None:
    payload, action = case["payload"], waiting(case["payload"])
    path = case["path"]
    claims: dict[str, Any] = {"eventId": "", "actionId": ""}
    if action is not None:
        path = f"/trigger/events/{payload['type']}/actions/{action['type']}"
        claims = {"eventId": payload["id"], "actionId": action["id"]}
    answer = country.app.test_client().post(
        path,
        json=payload,
        headers={"Authorization": f"Bearer {development.sign(country.settings.instance_dir, **claims)}"},
    )
    if case["valid"]:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        assert answer.json is not None
        assert answer.json["details"][0]["path"] == case["firstPath"]


def post(country: Country, document: dict[str, Any], path: str | None = None, **options: Any) -> int:
    headers = options.pop("headers", None)
    if headers is None:
        headers = {"Authorization": f"Bearer {country.token(document)}"}
    options = options or {"json": document}
    path = path or f"/triggers/events/birth/actions/{pending(document)['type']}"
    return country.app.test_client().post(path, headers=headers, **options).status_code


@pytest.mark.parametrize("token", [None, "undefined", "nonsense"])
def test_without_a_good_token_it_is_401_from_a_trusted_network_too(country: Country, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    assert post(country, question("DECLARE"), headers=headers) == 401


@pytest.mark.parametrize("claims", [{"eventId": str(uuid.uuid4())}, {"actionId": str(uuid.uuid4())}, {"eventId": None}])
def test_a_token_for_something_else_is_403(country: Country, claims: dict[str, Any]) -> None:
    assert country.ask(question("DECLARE"), **claims).status_code == 403


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b"[" * 100_000, b"null"])
def test_what_is_no_document_is_422(country: Country, body: bytes) -> None:
    document = question("DECLARE")
    assert post(country, document, data=body, content_type="application/json") == 422


def test_the_path_must_be_the_documents(country: Country) -> None:
    document = question("DECLARE")
    assert post(country, document, "/trigger/events/death/actions/DECLARE") == 422
    assert post(country, document, "/trigger/events/birth/actions/REGISTER") == 422
    assert post(country, document, "/trigger/events/birth/actions/declare") == 200


def test_an_event_type_that_nobody_named_is_taken(country: Country) -> None:
    document = question("DECLARE") | {"type": "adoption order"}
    assert post(country, document, "/trigger/events/adoption%20order/actions/DECLARE") == 200


def test_of_several_pending_actions_the_token_names_the_one_that_is_meant(country: Country) -> None:
    document = question("DECLARE")
    other = pending(document) | {"id": str(uuid.uuid4()), "type": "NOTIFY"}
    token = country.token(document, actionId=other["id"])
    document["actions"].append(other)
    headers = {"Authorization": f"Bearer {token}"}
    assert post(country, document, "/trigger/events/birth/actions/DECLARE", headers=headers, json=document) == 422
    assert post(country, document, "/trigger/events/birth/actions/NOTIFY", headers=headers, json=document) == 200


def test_the_letter_case_of_a_uuid_says_nothing(country: Country) -> None:
    document = question("DECLARE")
    claims = {"eventId": document["id"].upper(), "actionId": pending(document)["id"].upper()}
    assert country.ask(document, **claims).status_code == 200


def test_other_methods_and_types_are_refused(country: Country) -> None:
    document = question("DECLARE")
    assert post(country, document, data=json.dumps(document), content_type="text/plain") == 415
    assert country.app.test_client().get("/trigger/events/birth/actions/DECLARE").status_code == 405


def test_without_a_database_it_is_503(make_country: Callable[..., Country], tmp_path: Path) -> None:
    country = make_country()
    (tmp_path / "directory.db").mkdir()
    settings = dataclasses.replace(country.settings, database_url=f"sqlite:///{tmp_path / 'directory.db'}")
    away = Country(create_app(settings), settings)
    answer = away.ask(question("DECLARE"))
    away.database.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@hypothesis_settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(data=st.data())
def test_no_body_at_all_makes_a_400_or_a_500(country: Country, data: st.DataObject) -> None:
    document = question("DECLARE")
    json_values = st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
    key = data.draw(st.sampled_from([*document, "actions.0", "actions.1"]))
    token = country.token(document)
    mutated: Any = document
    if "." in key:
        inner = mutated["actions"][int(key[-1])]
        inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(json_values)
    else:
        mutated = document | {key: data.draw(json_values)}
    headers = {"Authorization": f"Bearer {token}"}
    assert post(country, document, headers=headers, json=mutated) in (200, 401, 403, 422)
