"""The API of subscriptions: who may do what, what is refused and where, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from app.access import clients
from app.database.tables import audit, subscriptions
from tests.webhooks.conftest import Api, Hooks, Receiver

MakeHooks = Callable[..., Hooks]
URL = "http://127.0.0.1:9/hooks"


@pytest.fixture
def api(hooks: Hooks) -> Api:
    return hooks.client()


def refused_at(api: Api, **body: Any) -> list[list[Any]]:
    """Where a new subscription has its problems."""
    answer = api.call("POST", "/webhooks/subscriptions", {"url": URL, "eventTypes": ["*"], **body})
    assert answer.status_code == 422, answer.json
    return [detail["path"] for detail in answer.json["details"]]


def test_a_new_subscription_is_answered_with_its_secret_which_is_never_shown_again(api: Api) -> None:
    answer = api.call("POST", "/webhooks/subscriptions", {"url": URL, "eventTypes": ["events.*"]})
    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    made = answer.json
    assert made["secret"].startswith("whsec_")
    assert (made["rev"], made["mode"], made["format"], made["attributes"]) == (1, "notify", "standard", "minimal")
    for path in ("/webhooks/subscriptions", f"/webhooks/subscriptions/{made['id']}"):
        assert made["secret"] not in api.call("GET", path).text


def test_nothing_that_is_secret_is_readable_in_the_database(hooks: Hooks, api: Api) -> None:
    secret = "whsec_" + "c2VjcmV0" * 4
    api.subscribe(f"{URL}?token=t0ken", headers={"X-Key": "k3y"}, secret=secret)
    with hooks.database.reading() as connection:
        kept = str(connection.execute(select(subscriptions)).one())
    assert not any(text in kept for text in ("t0ken", "k3y", "c2VjcmV0"))


@pytest.mark.parametrize("key", ["", "cc_wrong", "another"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/webhooks/event-types"),
        ("GET", "/webhooks/subscriptions"),
        ("POST", "/webhooks/subscriptions"),
        ("POST", "/v2/webhooks/registrations"),
        ("POST", "/v2/webhooks/test"),
        ("POST", "/webhooks/deliveries/1/retry"),
    ],
)
def test_only_clients_that_may_manage_webhooks_come_in(hooks: Hooks, key: str, method: str, path: str) -> None:
    if key == "another":
        key = hooks.client("another", "confirmations:write").key
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = hooks.country.app.test_client().open(path, method=method, json={}, headers=headers)
    assert answer.status_code == (403 if key.startswith("cc_") and key != "cc_wrong" else 401)


def test_each_client_sees_only_its_own(hooks: Hooks, api: Api) -> None:
    made = api.subscribe(URL)
    other = hooks.client("another")
    assert other.call("GET", "/webhooks/subscriptions").json == {"data": []}
    path = f"/webhooks/subscriptions/{made['id']}"
    for method, at, body in [
        ("GET", path, None),
        ("PATCH", path, {"description": "mine"}),
        ("DELETE", path, None),
        ("POST", f"{path}/test", {}),
        ("POST", f"{path}/rotate-secret", {}),
        ("POST", f"{path}/enable", {}),
        ("POST", f"{path}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", f"{path}/deliveries", None),
    ]:
        assert other.call(method, at, body).status_code == 404, at


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"mode": "enrich"}, ["mode"]),
        ({"mode": "other"}, ["mode"]),
        ({"format": "xml"}, ["format"]),
        ({"eventTypes": []}, ["eventTypes"]),
        ({"eventTypes": ["a b"]}, ["eventTypes", 0]),
        ({"eventTypes": "events.*"}, ["eventTypes"]),
        ({"eventTypes": ["*", "user.creatd"]}, ["eventTypes", 1]),
        ({"eventTypes": ["events.birth.register.acepted"]}, ["eventTypes", 0]),
        ({"url": "ftp://example.com"}, ["url"]),
        ({"url": 5}, ["url"]),
        ({"secret": "short"}, ["secret"]),
        ({"filter": {"no-such-operator": [1]}}, ["filter"]),
        ({"filter": {"and": [True, {"nope": 1}]}}, ["filter", "and", 1]),
        ({"headers": {"webhook-id": "x"}}, ["headers", "webhook-id"]),
        ({"headers": {"Host": "x"}}, ["headers", "Host"]),
        ({"headers": {"X-Key": "a\r\nb"}}, ["headers", "X-Key"]),
        ({"headers": {"X-Key": "ä"}}, ["headers", "X-Key"]),
        ({"rateLimit": 0}, ["rateLimit"]),
        ({"rateLimit": "5"}, ["rateLimit"]),
        ({"attributes": "some"}, ["attributes"]),
        ({"attributes": ["ok", ""]}, ["attributes", 1]),
        ({"active": "yes"}, ["active"]),
        ({"evenTypes": ["*"]}, ["evenTypes"]),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_what_is_wrong_is_told_at_its_path(api: Api, body: dict[str, Any], path: list[Any]) -> None:
    (found,) = refused_at(api, **body)
    assert found[: len(path)] == path
    assert api.call("GET", "/webhooks/subscriptions").json == {"data": []}


def test_the_url_and_the_types_are_needed(api: Api) -> None:
    answer = api.call("POST", "/webhooks/subscriptions", {})
    assert sorted(detail["path"] for detail in answer.json["details"]) == [["eventTypes"], ["url"]]


def test_a_change_is_made_of_the_revision_that_was_read(api: Api) -> None:
    made = api.subscribe(URL, "a.*")
    path = f"/webhooks/subscriptions/{made['id']}"
    changed = api.call("PATCH", path, {"description": "new"}, If_Match='"1"')
    assert (changed.json["rev"], changed.headers["ETag"], changed.json["eventTypes"]) == (2, '"2"', ["a.*"])
    assert api.call("PATCH", path, {"description": "newer"}, If_Match='"1"').status_code == 412
    assert api.call("DELETE", path, If_Match='"1"').status_code == 412
    assert api.call("PATCH", path, {"filter": {"==": [1, 1]}, "rateLimit": 5}).json["rateLimit"] == 5
    assert api.call("PATCH", path, {"filter": None, "rateLimit": None}).json["filter"] is None
    assert api.call("GET", path).json["description"] == "new"


def test_another_format_wants_a_secret_that_it_can_sign_with(api: Api) -> None:
    made = api.subscribe(URL, format="jws", secret="s")
    path = f"/webhooks/subscriptions/{made['id']}"
    answer = api.call("PATCH", path, {"format": "standard"})
    assert (answer.status_code, answer.json["details"][0]["path"]) == (422, ["secret"])
    assert api.call("GET", path).json["format"] == "jws"


def test_another_format_while_a_secret_is_replaced_forgets_the_old_one(
    hooks: Hooks, api: Api, receiver: Receiver
) -> None:
    made = api.subscribe(receiver.url(), "*.accepted", format="jws", secret="s")
    path = f"/webhooks/subscriptions/{made['id']}"
    secret = "whsec_" + "c2VjcmV0" * 4
    assert api.call("POST", f"{path}/rotate-secret", {"secret": secret}).json["secretsValid"] == 2
    assert api.call("PATCH", path, {"format": "standard"}).json["secretsValid"] == 1
    hooks.register()
    hooks.work()
    (request,) = receiver.got()
    Webhook(secret).verify(request["body"].encode(), request["headers"])


def test_a_replay_follows_the_one_before_it(api: Api) -> None:
    path = f"/webhooks/subscriptions/{api.subscribe(URL)['id']}/replay"
    span = {"since": "2020-01-01T00:00:00Z"}
    assert [api.call("POST", path, span).status_code for _ in range(2)] == [202, 409]


def test_what_was_deleted_is_told_nothing(hooks: Hooks, api: Api, receiver: Receiver) -> None:
    made = api.subscribe(receiver.url())
    hooks.register()
    assert api.call("DELETE", f"/webhooks/subscriptions/{made['id']}").status_code == 204
    hooks.work()
    assert receiver.got() == []
    assert api.call("GET", f"/webhooks/subscriptions/{made['id']}").status_code == 404


def test_one_that_is_switched_off_is_told_nothing_until_it_is_on_again(
    hooks: Hooks, api: Api, receiver: Receiver
) -> None:
    made = api.subscribe(receiver.url(), "*.accepted", active=False)
    hooks.register()
    hooks.work()
    assert receiver.got() == []
    api.call("POST", f"/webhooks/subscriptions/{made['id']}/enable")
    replayed = api.call("POST", f"/webhooks/subscriptions/{made['id']}/replay", {"since": "2020-01-01T00:00:00Z"})
    assert replayed.status_code == 202
    hooks.work()
    assert len(receiver.got()) == 1


def test_a_replay_tells_again_with_the_same_id(hooks: Hooks, api: Api, receiver: Receiver) -> None:
    made = api.subscribe(receiver.url(), "*.accepted")
    for _ in range(3):
        hooks.register()
    hooks.work()
    span = {"since": "2020-01-01T00:00:00Z"}
    assert api.call("POST", f"/webhooks/subscriptions/{made['id']}/replay", span).status_code == 202
    hooks.work()
    ids = [request["headers"]["webhook-id"] for request in receiver.got()]
    assert (len(ids), len(set(ids))) == (6, 3)
    past = {"since": "2020-01-01T00:00:00Z", "until": "2020-02-01T00:00:00Z"}
    api.call("POST", f"/webhooks/subscriptions/{made['id']}/replay", past)
    hooks.work()
    assert len(receiver.got()) == 6


def test_only_what_failed_can_be_replayed(make_hooks: MakeHooks, receiver: Receiver) -> None:
    hooks = make_hooks()
    api = hooks.client()
    made = api.subscribe(receiver.url("410"), "*.accepted")
    for _ in range(2):  # the second comes while it is disabled
        hooks.register()
        hooks.work()
    path = f"/webhooks/subscriptions/{made['id']}"
    api.call("PATCH", path, {"url": receiver.url(), "active": True})
    hooks.register()
    hooks.work()
    assert len(receiver.got()) == 1
    span = {"since": "2020-01-01T00:00:00Z", "onlyFailed": True}
    for _ in range(2):
        assert api.call("POST", f"{path}/replay", span).status_code == 202
        hooks.work()
        assert len(receiver.got()) == 3


def test_a_test_sends_an_example(hooks: Hooks, api: Api, receiver: Receiver) -> None:
    made = api.subscribe(receiver.url(), "events.death.*")
    path = f"/webhooks/subscriptions/{made['id']}/test"
    answer = api.call("POST", path, {"eventType": "events.death.register.accepted"})
    assert answer.status_code == 202
    assert api.call("POST", path).status_code == 202
    assert api.call("POST", path, {"eventType": "events.birth.register.accepted"}).status_code == 422
    hooks.work()
    first, second = (json.loads(request["body"]) for request in receiver.got())
    assert (first["id"], first["type"], first["test"]) == (
        answer.json["eventId"],
        "events.death.register.accepted",
        True,
    )
    assert second["type"].startswith("events.death.")


def test_while_a_secret_is_replaced_both_are_good(hooks: Hooks, api: Api, receiver: Receiver) -> None:
    made = api.subscribe(receiver.url(), "*.accepted")
    rotated = api.call("POST", f"/webhooks/subscriptions/{made['id']}/rotate-secret", {})
    assert (rotated.status_code, rotated.json["secretsValid"], rotated.json["rev"]) == (200, 2, 2)
    hooks.register()
    hooks.work()
    (request,) = receiver.got()
    for secret in (made["secret"], rotated.json["secret"]):
        Webhook(secret).verify(request["body"].encode(), request["headers"])


def test_a_thirteenth_page_is_empty_and_the_first_has_a_hundred(api: Api) -> None:
    first = api.call("GET", "/webhooks/event-types").json["data"]
    assert (len(first["events"]), first["meta"]) == (100, {"nextPage": 2, "hasNextPage": True})
    second = api.call("GET", "/webhooks/event-types?page=2").json["data"]
    assert second["meta"] == {"nextPage": None, "hasNextPage": False}
    names = [event["name"] for event in first["events"] + second["events"]]
    assert len(names) == len(set(names))
    assert {"user.created", "user.updated", "events.birth.register.accepted", "profile_updated"} < set(names)
    assert api.call("GET", "/webhooks/event-types?page=13").json["data"]["events"] == []
    for page in ("0", "-1", "x", "\u0661"):
        assert api.call("GET", f"/webhooks/event-types?page={page}").status_code == 422


def test_the_catalogue_can_be_narrowed_to_a_topic(api: Api) -> None:
    found = api.call("GET", "/webhooks/event-types?topic=user").json["data"]["events"]
    assert {event["topic"] for event in found} == {"user"}
    created = next(event for event in found if event["name"] == "user.created")
    assert (created["category"], created["publisher"], created["actions"]) == (
        "user-data-change",
        "opencrvs",
        ["notify"],
    )
    assert "temporaryPassword" not in json.dumps(created["schema"])


def test_event_types_that_nobody_named_come_as_they_are_seen(hooks: Hooks, api: Api) -> None:
    document = hooks.register() | {"type": "tennis-club-membership"}
    document.pop("actionId")
    document["id"] = "3f0d9a52-6a1f-4f3d-9d52-5a5f6c0e3f0b"
    assert hooks.country.ask(document).status_code == 200
    hooks.work()
    events = api.call("GET", "/webhooks/event-types?page=2").json["data"]["events"]
    assert "events.tennis-club-membership.register.accepted" in [event["name"] for event in events]


def test_every_example_is_as_its_schema_says(api: Api) -> None:
    events = [
        event
        for page in (1, 2)
        for event in api.call("GET", f"/webhooks/event-types?page={page}").json["data"]["events"]
    ]
    assert len(events) > 130
    for event in events:
        jsonschema_rs.validate(event["schema"], event["example"])


def test_the_subscriptions_of_a_client_that_was_revoked_end(hooks: Hooks, api: Api, receiver: Receiver) -> None:
    api.subscribe(receiver.url())
    clients.revoke(hooks.database, "pension")
    hooks.register()
    hooks.work()
    assert receiver.got() == []


def test_no_client_has_more_than_its_share(hooks: Hooks, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhooks.subscriptions.MOST_OF_A_CLIENT", 2)
    for _ in range(2):
        api.subscribe(URL)
    wanted = {"topic": "user_logged_in", "url": URL, "secret": "s"}
    assert api.call("POST", "/webhooks/subscriptions", {"url": URL, "eventTypes": ["*"]}).status_code == 409
    assert api.call("POST", "/v2/webhooks/registrations", wanted).status_code == 409
    hooks.client("another").subscribe(URL)


def test_what_was_done_is_in_the_audit(hooks: Hooks, api: Api) -> None:
    made = api.subscribe(URL)
    api.call("PATCH", f"/webhooks/subscriptions/{made['id']}", {"description": "x"})
    api.call("DELETE", f"/webhooks/subscriptions/{made['id']}")
    statement = select(audit).where(audit.c.subject == made["id"]).order_by(audit.c.id)
    with hooks.database.reading() as connection:
        found = [(row.who, row.what) for row in connection.execute(statement)]
    assert found == [("client pension", f"subscription.{what}") for what in ("create", "change", "delete")]


class TestOlderApi:
    """What risr/advance has."""

    def test_a_registration_is_sent_the_profile(self, hooks: Hooks, api: Api, receiver: Receiver) -> None:
        from jose import jws

        wanted = {"topic": "profile_updated", "url": receiver.url(), "secret": "signature_secret"}
        answer = api.call("POST", "/v2/webhooks/registrations", wanted)
        assert (answer.status_code, set(answer.json)) == (200, {"id", "rev"})
        payload = {"recipient": {"email": "a@registry.test"}, "oldUsername": "a", "newUsername": "b"}
        hooks.trigger("user/user-updated", payload)
        hooks.work()
        (request,) = receiver.got()
        told = json.loads(jws.verify(request["body"], "signature_secret", algorithms=["HS256"]))
        assert told == {"webhook_request_id": request["headers"]["webhook-id"], **payload}

    def test_a_test_goes_to_all_registrations_of_the_topic(self, hooks: Hooks, api: Api, receiver: Receiver) -> None:
        for name in ("a", "b"):
            wanted = {"topic": "booking_updated", "url": receiver.url(name=name), "secret": "s"}
            assert api.call("POST", "/v2/webhooks/registrations", wanted).status_code == 200
        answer = api.call("POST", "/v2/webhooks/test", {"topic": "booking_updated"})
        assert answer.status_code == 200
        hooks.work()
        for name in ("a", "b"):
            (request,) = receiver.got(name=name)
            assert request["headers"]["webhook-id"] == answer.json["webhook_request_id"]

    @pytest.mark.parametrize(
        "body", [{"topic": "nope"}, {}, {"topic": "profile_updated", "url": "x", "secret": "s", "more": 1}]
    )
    def test_what_is_wrong_is_refused(self, api: Api, body: dict[str, Any]) -> None:
        assert api.call("POST", "/v2/webhooks/registrations", body).status_code == 422

    def test_a_topic_without_a_registration_has_nobody_to_test(self, api: Api) -> None:
        answer = api.call("POST", "/v2/webhooks/test", {"topic": "user_logged_in"})
        assert (answer.status_code, answer.json["details"][0]["path"]) == (422, ["topic"])
