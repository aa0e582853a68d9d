"""The older API, that of risr/advance (https://api.kaizenep.com/v2/docs/hooks.html): its topics and its routes.

Its receivers get a compact JWS of the bare data, with a `webhook_request_id` in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response
from marshmallow import fields
from marshmallow.validate import Length, OneOf

from app.http.errors import Refused, json_response
from app.http.requests import request_id
from app.webhooks.event import Category, EventType
from app.webhooks.forms import Form
from app.webhooks.routes import author, client_of, saved, valid
from app.webhooks.service import WebhookService
from app.webhooks.subscription import ALL, Wish

PUBLISHER = "risr/advance"


@dataclass(frozen=True)
class Topic:
    """What its registrations are told of: our event types where there are any, and others' of the topic's own name."""

    name: str
    description: str
    ours: tuple[str, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)

    @property
    def event_type(self) -> EventType:
        return EventType(
            name=self.name,
            topic=self.name,
            category=Category.USER_DATA_CHANGE,
            description=self.description,
            schema={"type": "object"},
            example=self.example,
            publisher=PUBLISHER,
        )


_PROFILE = {
    "username": "amina.mwale",
    "oldUsername": "a.mwale",
    "newUsername": "amina.mwale",
    "recipient": {
        "name": {"firstname": "Amina", "surname": "Mwale"},
        "email": "amina.mwale@registry.test",
        "mobile": "0977111222",
    },
}
_BOOKING = {"id": "booking-4711", "state": "confirmed", "starts_at": "2026-05-14T08:30:00.000Z"}
TOPICS: Mapping[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic("user_logged_in", "Somebody signed in.", example={"username": "amina.mwale"}),
        Topic("user_registered", "Somebody got an account.", ("user.created",), _PROFILE),
        Topic("profile_updated", "An account was changed.", ("user.updated",), _PROFILE),
        Topic("booking_updated", "A booking was changed.", example=_BOOKING),
        Topic("booking_state_changed", "A booking is in another state.", example=_BOOKING),
    )
}


def _topic() -> fields.String:
    return fields.String(required=True, validate=OneOf(TOPICS))


class Registration(Form):
    """POST /v2/webhooks/registrations."""

    topic = _topic()
    url = fields.String(required=True, validate=Length(1, 2_000), metadata={"format": "uri"})
    secret = fields.String(required=True, validate=Length(1, 500))


class TopicTest(Form):
    """POST /v2/webhooks/test."""

    topic = _topic()


def topic_routes(service: WebhookService) -> Blueprint:
    """`/v2/webhooks/registrations` and `/v2/webhooks/test`, on the same subscriptions as the rest."""
    routes = Blueprint("topics", __name__, url_prefix="/v2/webhooks")

    @routes.post("/registrations")
    def register() -> Response:
        client = client_of(service)
        given = valid(Registration())
        topic = TOPICS[given["topic"]]
        wish = Wish(
            url=given["url"],
            event_types=(*topic.ours, topic.name),
            format="jws",
            attributes=ALL,
            description=f"Registration for {topic.name}",
            topic=topic.name,
        )
        there = [one for one in service.subscriptions.of_client(client.id) if one.wish == wish]
        if there:  # registered again, perhaps with another secret
            known, secret = there[0], given["secret"]
            made = saved(lambda: service.change(known, wish, author(client), active=True, secret=secret))
        else:
            made, _ = saved(lambda: service.create(client, wish, given["secret"], author(client)))
        return json_response({"id": made.id, "rev": str(made.rev)})

    @routes.post("/test")
    def test() -> Response:
        client = client_of(service)
        topic = TOPICS[valid(TopicTest())["topic"]]
        registered = [
            one for one in service.subscriptions.of_client(client.id) if one.wish.topic == topic.name and one.active
        ]
        if not registered:
            said = f"You have no active registration for {topic.name}: POST /v2/webhooks/registrations makes one"
            raise Refused(422, "Invalid request", [{"path": ["topic"], "message": said}])
        event_id = saved(lambda: service.test(registered, topic.name, request_id()))
        return json_response({"webhook_request_id": event_id})

    return routes
