"""All that can be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from app.access.callers import CallerKind
from app.access.grants import describe, grants_to
from app.openapi.operation import (
    ANYBODY,
    CLIENT,
    CORE,
    CORE_OR_CLIENT,
    SIGNED,
    TRUSTED,
    Access,
    Credential,
    Operation,
)
from app.records.actions import CONFIRMABLE
from app.triggers.catalogue import EMAIL, TriggerType
from app.triggers.confirmations import Acceptance, Rejection
from app.triggers.samples import USER_SAMPLES
from app.webhooks import forms
from app.webhooks.topics import Registration, TopicTest

TRIGGERS, RECORDS, CONFIRMATIONS, WEBHOOKS, TOPICS, RECEIPTS, OPERATION = (
    "Triggers",
    "Event actions",
    "Confirmations",
    "Webhooks",
    "Webhooks as risr/advance has them",
    "Receipts of SMS providers",
    "Operation",
)
_OBJECT: dict[str, Any] = {"type": "object"}
_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["id", "type", "createdAt", "updatedAt", "trackingId", "actions"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "type": {"type": "string"},
        "createdAt": {"type": "string", "format": "date-time"},
        "updatedAt": {"type": "string", "format": "date-time"},
        "trackingId": {"type": "string"},
        "actions": {"type": "array", "items": {"type": "object"}},
    },
}
_SUBSCRIPTION: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "rev": {"type": "integer"},
        "url": {"type": "string"},
        "eventTypes": {"type": "array", "items": {"type": "string"}},
        "mode": {"type": "string"},
        "format": {"type": "string"},
        "attributes": {},
        "filter": {},
        "active": {"type": "boolean"},
        "disabledBecause": {"type": ["string", "null"]},
        "failingSince": {"type": ["string", "null"]},
    },
    "required": ["id", "rev", "url", "eventTypes", "active"],
}
_LIST = {"type": "object", "properties": {"data": {"type": "array", "items": _SUBSCRIPTION}}}
_NO_TOKEN_OF_CORE = frozenset({CallerKind.CLIENT, CallerKind.LISTED, CallerKind.DEVELOPER, CallerKind.NOBODY})
_SUBSCRIPTIONS = "/webhooks/subscriptions"
_ONE = f"{_SUBSCRIPTIONS}/{{subscription_id}}"


def operations(kinds: Iterable[TriggerType]) -> list[Operation]:
    """In the order in which they are shown."""
    return [*_of_records(), *_of_triggers(kinds), *_of_confirmations(), *_of_webhooks(), *_of_topics(), *_others()]


def access_to(trigger: TriggerType) -> Access:
    """Return the credentials with which a trigger is taken, and from whom."""
    credentials = []
    if any(grants_to(trigger.callers, kind) for kind in CallerKind if kind not in _NO_TOKEN_OF_CORE):
        credentials.append(Credential.CORE)
    if grants_to(trigger.callers, CallerKind.CLIENT):
        credentials.append(Credential.CLIENT)
    if grants_to(trigger.callers, CallerKind.LISTED):
        credentials.append(Credential.NONE)
    return Access(tuple(credentials), f"Taken from {describe(trigger.callers)}.")


def _of_records() -> Iterator[Operation]:
    answers = {
        200: "Accepted; for REGISTER with its registration number",
        202: "Deferred: core is told later, by a confirmation",
        400: "Rejected by the country, and nothing else is answered with 400 here",
    }
    yield Operation(
        "post",
        "/triggers/events/{event_type}/actions/{action_type}",
        RECORDS,
        "Ask whether the country accepts an action of a record",
        CORE,
        _EVENT,
        answers,
        {"type": "object", "properties": {"registrationNumber": {"type": "string"}}},
        description="The action types are " + ", ".join(CONFIRMABLE) + ". The pending action is the one that the "
        "token's actionId names. The same question again gets the same answer. Also at /trigger/events/….",
    )


def _of_triggers(kinds: Iterable[TriggerType]) -> Iterator[Operation]:
    for kind in kinds:
        is_email = kind.path == EMAIL
        yield Operation(
            "post",
            "/email" if is_email else f"/triggers/{kind.path}",
            TRIGGERS,
            "Send a mail to operators" if is_email else f"Take {kind.path}, and tell who is concerned",
            access_to(kind),
            kind.schema,
            {200: "Written down; the message goes out by itself"},
            example=USER_SAMPLES.get(kind.path.removeprefix("user/")),
        )
    for method in ("get", "post"):
        yield Operation(
            method,
            "/triggers/system/ready",
            TRIGGERS,
            "Register this server and the country's integrations at core, by the country's rules where it has some",
            CORE,
            answers={200: "All is set up", 501: "Nothing is configured", 503: "Something failed, and what"},
            description="The token needs the scope integration.create; core 2.0.0's has no scope, and registers "
            "nothing.",
        )


def _of_confirmations() -> Iterator[Operation]:
    answers = {
        202: "Written down; core is told",
        404: "Core never asked about this action",
        409: "It was decided otherwise",
    }
    for verb, schema in (("accept", Acceptance()), ("reject", Rejection())):
        yield Operation(
            "post",
            f"/confirmations/{{action_id}}/{verb}",
            CONFIRMATIONS,
            f"{verb.title()} an action that was deferred",
            CORE_OR_CLIENT,
            schema,
            answers,
            description="With an API key that has confirmations:write, or the action's own token.",
        )


def _of_webhooks() -> Iterator[Operation]:
    def operation(method: str, path: str, summary: str, **more: Any) -> Operation:
        return Operation(method, path, WEBHOOKS, summary, CLIENT, **more)

    page = {"topic": "Only event types of this topic", "page": "From 1; a page has 100"}
    yield operation("get", "/webhooks/event-types", "The catalogue of event types", query=page, answer=_OBJECT)
    yield operation(
        "post",
        _SUBSCRIPTIONS,
        "Subscribe",
        body=forms.NewSubscription(),
        answers={201: "The subscription with its secret, which is not told again"},
        answer=_SUBSCRIPTION,
        example={"url": "https://pension.example/hooks", "eventTypes": ["events.death.register.accepted"]},
    )
    yield operation("get", _SUBSCRIPTIONS, "Your subscriptions", answer=_LIST)
    yield operation("get", _ONE, "One of them; its revision is the ETag", answer=_SUBSCRIPTION)
    yield operation(
        "patch",
        _ONE,
        "Change it; with If-Match only the revision that you have read",
        body=forms.SubscriptionChange(),
        answer=_SUBSCRIPTION,
        answers={200: "Changed", 412: "It is at another revision by now"},
    )
    yield operation("delete", _ONE, "End it", answers={204: "Gone", 412: "It is at another revision by now"})
    yield operation(
        "post",
        f"{_ONE}/test",
        "Have an example sent",
        body=forms.TestRequest(),
        body_is_optional=True,
        answers={202: "It is on its way: see the deliveries"},
    )
    yield operation(
        "post",
        f"{_ONE}/rotate-secret",
        "Take a new secret; the old one stays good for a day",
        body=forms.Rotation(),
        body_is_optional=True,
        answer=_SUBSCRIPTION,
        answers={200: "The subscription with its new secret", 412: "It was changed meanwhile"},
    )
    yield operation("post", f"{_ONE}/enable", "Put it back after it was disabled", answer=_SUBSCRIPTION)
    yield operation(
        "post",
        f"{_ONE}/replay",
        "Be told once more of what happened in a span of time",
        body=forms.Replay(),
        answers={202: "It is being told", 409: "The subscription is not active"},
    )
    before = {"before": "Only deliveries older than this one"}
    yield operation("get", f"{_ONE}/deliveries", "What was sent, the newest first", query=before, answer=_OBJECT)
    yield operation(
        "post",
        "/webhooks/deliveries/{delivery_id}/retry",
        "Try a delivery again now",
        answers={202: "It is due", 409: "It cannot be tried again, and why"},
    )


def _of_topics() -> Iterator[Operation]:
    for name, schema, summary in (
        ("registrations", Registration(), "Register for a topic"),
        ("test", TopicTest(), "Have the topic's example sent to your registrations"),
    ):
        yield Operation("post", f"/v2/webhooks/{name}", TOPICS, summary, CLIENT, schema, answer=_OBJECT)


def _others() -> Iterator[Operation]:
    answers = {204: "Taken", 404: "No such delivery"}
    yield Operation(
        "post",
        "/receipts/twilio/{delivery_id}",
        RECEIPTS,
        "Twilio's status callback",
        SIGNED,
        _OBJECT,
        answers,
        form=True,
    )
    yield Operation(
        "post",
        "/receipts/infobip/{delivery_id}/{token}",
        RECEIPTS,
        "Infobip's delivery report",
        SIGNED,
        _OBJECT,
        answers,
    )
    yield Operation(
        "post",
        "/reindex",
        OPERATION,
        "Write the statistics of a batch of records again",
        CORE,
        {"type": "array", "items": _EVENT},
        {200: "Written; what was skipped is listed with the reason"},
        {"type": "object"},
    )
    yield Operation("get", "/ping", OPERATION, "Is it there?", ANYBODY)
    yield Operation("get", "/health/live", OPERATION, "Does the process answer?", ANYBODY)
    unready = {200: "It can", 503: "Not now, and why"}
    yield Operation("get", "/health/ready", OPERATION, "Can it keep a trigger?", ANYBODY, answers=unready)
    yield Operation("get", "/metrics", OPERATION, "Figures for Prometheus, as text", TRUSTED)
    yield Operation("get", "/openapi.json", OPERATION, "This description", ANYBODY)
