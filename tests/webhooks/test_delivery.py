"""From a trigger to a receiver in another process, and what becomes of it there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jose import jws
from sqlalchemy import select, update
from standardwebhooks import Webhook

from app.database.clock import now
from app.database.tables import deliveries, subscriptions
from tests.decisions.conftest import DEFER
from tests.opencrvs.core_events import Core
from tests.webhooks.conftest import Hooks, Receiver

MakeHooks = Callable[..., Hooks]
REASON = "tries used up: 500 thank you"
RECIPIENT = {"name": {"firstname": "Amina", "surname": "Mwale"}, "email": "amina@registry.test"}


def body(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request["body"])
    return found


def due_now(hooks: Hooks) -> None:
    """Whatever waits, waits no more."""
    with hooks.database.transaction() as connection:
        connection.execute(update(deliveries).where(deliveries.c.state == "queued").values(due_at=now()))


def test_a_registration_is_told_and_an_independent_verifier_takes_it(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.client().subscribe(receiver.url(), "events.birth.register.accepted")
    document = hooks.register()
    hooks.work()
    (request,) = receiver.got()
    told = Webhook(made["secret"]).verify(request["body"].encode(), request["headers"])
    number = hooks.answered.json["registrationNumber"]
    assert told["data"] == {
        "eventId": document["id"],
        "trackingId": document["trackingId"],
        "eventType": "birth",
        "actionId": document["actionId"],
        "action": "REGISTER",
        "registrationNumber": number,
    }
    assert (told["type"], told["id"]) == ("events.birth.register.accepted", request["headers"]["webhook-id"])
    assert told["timestamp"].endswith("Z")


def test_an_accept_is_told_again_where_core_has_another_number(
    make_hooks: MakeHooks, receiver: Receiver, core: Core
) -> None:
    hooks = make_hooks(GATEWAY_URL=core.url)
    hooks.client().subscribe(receiver.url(), "events.birth.register.accepted")
    document = hooks.register()
    core.keep({name: value for name, value in document.items() if name != "actionId"})
    hooks.work()
    core.confirm_elsewhere(document["id"], document["actionId"], registrationNumber="MOSIP-1")
    registry = hooks.client("civil-registry", "confirmations:write")
    assert registry.call("POST", f"/confirmations/{document['actionId']}/accept", {}).status_code == 202
    hooks.work()
    first, second = map(body, receiver.got())
    assert second["data"]["registrationNumber"] == "MOSIP-1"
    assert (first["type"], first["id"] != second["id"]) == (second["type"], True)


def test_a_jws_is_read_as_its_receivers_read_it(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url(), "events.*.accepted", format="jws", secret="s")
    hooks.register()
    hooks.work()
    (request,) = receiver.got()
    told = json.loads(jws.verify(request["body"], "s", algorithms=["HS256"]))
    assert told["type"] == "events.birth.register.accepted"


@pytest.mark.parametrize(
    ("rules", "phases"),
    [
        ("", ["requested", "accepted"]),
        ("@on_action('*', '*')\ndef no(action):\n    return Reject('no')\n", ["requested", "rejected"]),
        (DEFER, ["requested", "deferred"]),
    ],
)
def test_each_phase_of_an_action_is_told_once(
    make_hooks: MakeHooks, receiver: Receiver, rules: str, phases: list[str]
) -> None:
    hooks = make_hooks(rules)
    hooks.client().subscribe(receiver.url(), "record-action")
    document = hooks.register()
    hooks.country.ask({key: value for key, value in document.items() if key != "actionId"})
    hooks.work()
    assert sorted(body(request)["type"] for request in receiver.got()) == sorted(
        f"events.birth.register.{phase}" for phase in phases
    )


def test_what_was_deferred_is_told_as_accepted_once_core_has_taken_it(
    make_hooks: MakeHooks, receiver: Receiver, core: Core
) -> None:
    hooks = make_hooks(DEFER, GATEWAY_URL=core.url)
    hooks.client().subscribe(receiver.url(), "*.deferred", "*.accepted")
    document = hooks.register()
    core.keep({key: value for key, value in document.items() if key != "actionId"})
    core.tokens = None
    hooks.work()
    assert [body(request)["type"] for request in receiver.got()] == ["events.birth.register.deferred"]
    began = datetime.now(UTC)
    key = hooks.client("registry", "confirmations:write")
    assert key.call("POST", f"/confirmations/{document['actionId']}/accept", {}).status_code == 202
    hooks.work()
    accepted = body(receiver.got()[1])
    assert accepted["type"] == "events.birth.register.accepted"
    assert accepted["data"]["registrationNumber"]
    assert datetime.fromisoformat(accepted["timestamp"]) > began - timedelta(seconds=1)


def test_what_was_accepted_is_told_though_core_is_being_told_once_more(
    make_hooks: MakeHooks, receiver: Receiver, core: Core
) -> None:
    hooks = make_hooks(GATEWAY_URL="http://127.0.0.1:9")
    hooks.client().subscribe(receiver.url("fail-once"), "*.accepted", "*.deferred")
    document = hooks.register()
    hooks.work()
    again = hooks.client("registry", "confirmations:write")
    assert again.call("POST", f"/confirmations/{document['actionId']}/accept", {}).status_code == 202
    due_now(hooks)
    hooks.work()
    assert [body(request)["type"] for request in receiver.got("fail-once")] == ["events.birth.register.accepted"] * 2
    assert hooks.states() == [("sent", None)]


def test_an_announcement_that_failed_can_be_sent_again_though_a_webhook_told_of_it(
    make_hooks: MakeHooks, receiver: Receiver
) -> None:
    hooks = make_hooks()
    hooks.client().subscribe(receiver.url(), "user.*")
    announced = {"recipient": {"email": "not an address", "bcc": []}, "subject": "a", "body": "b"}
    for _ in range(2):
        hooks.trigger("user/all-user-notification", announced)
        hooks.work()
    with hooks.database.reading() as connection:
        reasons = set(connection.scalars(select(deliveries.c.reason).where(deliveries.c.channel == "plan")))
    assert reasons == {None}


def test_an_event_on_which_a_filter_takes_too_long_is_not_told(hooks: Hooks, receiver: Receiver) -> None:
    many = list(range(400))
    rounds = {"map": [many, {"reduce": [many, {"+": [{"var": "current"}, {"var": "accumulator"}]}, 0]}]}
    hooks.client().subscribe(receiver.url(), "*.accepted", filter={"or": [True, rounds]})
    hooks.client("slow").subscribe(receiver.url(name="slow"), "*.accepted", filter=rounds)
    hooks.register()
    hooks.work()
    assert len(receiver.got()) == 1
    assert receiver.got(name="slow") == []
    assert len(hooks.states()) == 1


def test_a_try_out_that_fails_says_nothing_of_the_subscription(hooks: Hooks, receiver: Receiver) -> None:
    api = hooks.client()
    made = api.subscribe(receiver.url("410"), "*.accepted")
    api.call("POST", f"/webhooks/subscriptions/{made['id']}/test")
    hooks.work()
    shown = api.call("GET", f"/webhooks/subscriptions/{made['id']}").json
    assert (shown["active"], shown["failingSince"]) == (True, None)
    assert hooks.states() == [("failed", "410 thank you")]


def test_codes_passwords_and_tokens_are_in_no_webhook(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url(), "user.*", attributes="all")
    hooks.trigger("user/2fa", {"recipient": RECIPIENT, "code": "730164"})
    credentials = {"recipient": RECIPIENT, "username": "a.mwale", "temporaryPassword": "Kafue-4827"}
    hooks.trigger("user/user-created", credentials)
    for name in ("password-reset-link", "username-reminder-link"):
        hooks.trigger(f"user/{name}", {"recipient": RECIPIENT, "token": "q3+Zp/8nRw1xT5uYbK2mJg=="})
    hooks.work()
    told = [request["body"] for request in receiver.got()]
    assert len(told) == 4
    assert not any(secret in text for text in told for secret in ("730164", "Kafue", "token", "nRw1xT5u"))
    assert {json.loads(text)["type"]: json.loads(text)["data"] for text in told} == {
        "user.2fa": {"recipient": RECIPIENT},
        "user.created": {"recipient": RECIPIENT, "username": "a.mwale"},
        "user.password_reset_link": {"recipient": RECIPIENT},
        "user.username_reminder_link": {"recipient": RECIPIENT},
    }


def test_the_minimum_names_nobody(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url())
    hooks.trigger("user/user-updated", {"recipient": RECIPIENT, "oldUsername": "a", "newUsername": "b"})
    hooks.work()
    (request,) = receiver.got()
    assert body(request)["data"] == {"oldUsername": "a", "newUsername": "b"}


def test_attributes_that_are_named_come_beside_the_minimum(hooks: Hooks, receiver: Receiver) -> None:
    wanted = ["createdBy", "declaration.child.name", "declaration.no.such", "nothing"]
    hooks.client().subscribe(receiver.url(), "*.accepted", attributes=wanted)
    document = hooks.register()
    hooks.work()
    (request,) = receiver.got()
    data = body(request)["data"]
    assert data["eventId"] == document["id"]
    assert data["createdBy"]
    assert set(data.get("declaration", {})) <= {"child.name"}
    assert "nothing" not in data


@pytest.mark.parametrize(
    ("rule", "is_told"),
    [
        ({"==": [{"var": "eventType"}, "events.birth.register.accepted"]}, True),
        ({"==": [{"var": "topic"}, "users"]}, False),
        ({"in": ["child.name", {"var": "data.changes"}]}, None),
        ({"!!": {"var": "data.declaration.no.such"}}, False),
        ({"!!": {"var": "data.createdBy"}}, True),
        (False, False),
    ],
)
def test_a_filter_decides_who_is_told(hooks: Hooks, receiver: Receiver, rule: Any, is_told: bool | None) -> None:
    hooks.client().subscribe(receiver.url(), "*.accepted", filter=rule, attributes="all")
    hooks.client("all").subscribe(receiver.url(name="all"), "*.accepted", attributes="all")
    hooks.register()
    hooks.work()
    if is_told is None:
        (request,) = receiver.got(name="all")
        is_told = "child.name" in body(request)["data"]["changes"]
    assert len(receiver.got()) == is_told


def test_the_same_id_and_another_time_come_with_each_try(hooks: Hooks, receiver: Receiver) -> None:
    made = hooks.client().subscribe(receiver.url("fail-once"), "*.accepted")
    hooks.register()
    hooks.work()
    ((state, reason),) = hooks.states()
    assert (state, reason) == ("queued", "500 thank you")
    due_now(hooks)
    hooks.work()
    first, second = receiver.got("fail-once")
    assert first["headers"]["webhook-id"] == second["headers"]["webhook-id"]
    assert first["body"] == second["body"]
    Webhook(made["secret"]).verify(second["body"].encode(), second["headers"])
    assert hooks.states() == [("sent", None)]


def test_a_receiver_that_asks_for_time_gets_it(make_hooks: MakeHooks, receiver: Receiver) -> None:
    hooks = make_hooks(WEBHOOK_RETRY_SCHEDULE="1")
    api = hooks.client()
    made = api.subscribe(receiver.url("later"), "*.accepted")
    hooks.register()
    hooks.work()
    (delivery,) = api.deliveries(made)
    assert delivery["state"] == "retrying"
    assert 70 <= seconds_between(delivery["createdAt"], delivery["dueAt"]) <= 80


def test_past_the_last_try_it_is_a_dead_letter_that_can_be_tried_again(
    make_hooks: MakeHooks, receiver: Receiver
) -> None:
    hooks = make_hooks(WEBHOOK_RETRY_SCHEDULE="3600")
    api = hooks.client()
    made = api.subscribe(receiver.url("500"), "*.accepted")
    hooks.register()
    hooks.work()
    due_now(hooks)
    hooks.work()
    (delivery,) = api.deliveries(made)
    assert (delivery["state"], delivery["attempts"], delivery["reason"]) == (
        "failed",
        2,
        "tries used up: 500 thank you",
    )
    assert api.call("POST", f"/webhooks/deliveries/{delivery['id']}/retry").status_code == 202
    hooks.work()
    assert len(receiver.got("500")) == 3


def test_a_redirect_is_not_followed(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url("moved"), "*.accepted")
    hooks.register()
    hooks.work()
    assert hooks.states()[0][0] == "queued"


def test_gone_disables_at_once_and_says_so(hooks: Hooks, receiver: Receiver) -> None:
    api = hooks.client()
    made = api.subscribe(receiver.url("410"), "*.accepted", description="the <pension> office")
    api.subscribe(receiver.url(), "operational.*")
    hooks.client("another").subscribe(receiver.url(name="another"), "operational.*")
    hooks.register()
    hooks.work()
    shown = api.call("GET", f"/webhooks/subscriptions/{made['id']}").json
    assert (shown["active"], shown["disabledBecause"]) == (False, "the receiver answered 410 Gone")
    (request,) = receiver.got()
    assert body(request)["data"] == {
        "subscriptionId": made["id"],
        "description": "the <pension> office",
        "reason": "the receiver answered 410 Gone",
    }
    assert receiver.got(name="another") == []
    inbox = hooks.country.app.test_client().get("/inbox").text
    assert "A webhook subscription was disabled" in inbox
    hooks.register()
    hooks.work()
    assert len(receiver.got("410")) == 1


def test_five_days_of_failures_disable(hooks: Hooks, receiver: Receiver) -> None:
    api = hooks.client()
    made = api.subscribe(receiver.url("500"), "*.accepted")
    hooks.register()
    hooks.work()
    assert api.call("GET", f"/webhooks/subscriptions/{made['id']}").json["failingSince"] is not None
    with hooks.database.transaction() as connection:
        connection.execute(update(subscriptions).values(failing_since=now() - 5 * 86_400.0 - 1))
    due_now(hooks)
    hooks.work()
    assert hooks.states() == [("failed", "the receiver has taken nothing for five days")]
    shown = api.call("POST", f"/webhooks/subscriptions/{made['id']}/enable").json
    assert (shown["active"], shown["failingSince"], shown["disabledBecause"]) == (True, None, None)


def test_one_success_forgets_the_failures(hooks: Hooks, receiver: Receiver) -> None:
    api = hooks.client()
    made = api.subscribe(receiver.url("fail-once"), "*.accepted")
    hooks.register()
    hooks.work()
    due_now(hooks)
    hooks.work()
    assert api.call("GET", f"/webhooks/subscriptions/{made['id']}").json["failingSince"] is None


def test_what_is_too_large_is_said_and_not_sent(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url(), "user.*", attributes="all")
    payload = {"recipient": {"email": "a@registry.test", "bcc": []}, "subject": "x", "body": "y" * 300_000}
    hooks.trigger("user/all-user-notification", payload)
    hooks.work()
    ((state, reason),) = hooks.states()
    assert state == "failed"
    assert "ask for fewer attributes" in str(reason)
    assert receiver.got() == []


def test_headers_of_the_client_go_along(hooks: Hooks, receiver: Receiver) -> None:
    hooks.client().subscribe(receiver.url(), "*.accepted", headers={"X-Api-Key": "k-1"})
    hooks.register()
    hooks.work()
    assert receiver.got()[0]["headers"]["x-api-key"] == "k-1"


def test_an_address_that_is_not_allowed_any_more_is_not_called(make_hooks: MakeHooks, receiver: Receiver) -> None:
    hooks = make_hooks()
    hooks.client().subscribe(receiver.url(), "*.accepted")
    hooks.register()
    stricter = make_hooks(WEBHOOK_ALLOWED_NETWORKS="10.0.0.0/8")
    stricter.work()
    ((state, reason),) = stricter.states()
    assert state == "queued"
    assert "WEBHOOK_ALLOWED_NETWORKS" in str(reason)
    assert receiver.got() == []


def seconds_between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
