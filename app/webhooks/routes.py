"""The API under /webhooks: the catalogue of events, and a client's subscriptions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request
from marshmallow import Schema, ValidationError

from app.access.clients import Client, Permission
from app.access.gate import admit_client
from app.database.audit import Author
from app.http.bodies import json_body
from app.http.errors import RETRY_AFTER, Refused, because, json_response
from app.http.problems import problems
from app.http.requests import request_id
from app.webhooks import forms
from app.webhooks.addresses import ForbiddenUrl
from app.webhooks.answers import shown, shown_delivery
from app.webhooks.service import (
    BadSecret,
    Busy,
    NeverTold,
    NoSuchEventType,
    ReplayUnderWay,
    WebhookService,
    changed_wish,
)
from app.webhooks.subscription import Subscription, Wish
from app.webhooks.subscriptions import ChangedMeanwhile, TooMany, UnknownSubscription

PAGE = 100
LARGEST_BODY = 65_536  # bytes
_NAMES = {"eventTypes": "event_types", "rateLimit": "rate_limit"}
_APART = frozenset({"secret", "active"})


def webhook_routes(service: WebhookService) -> Blueprint:
    """All but the older API. Every request brings the key of a client that may manage webhooks."""
    routes = Blueprint("webhooks", __name__, url_prefix="/webhooks")

    @routes.app_errorhandler(UnknownSubscription)
    def unknown(error: UnknownSubscription) -> Response:
        return Refused(404, *because("Unknown subscription", str(error))).response

    @routes.app_errorhandler(ChangedMeanwhile)
    def changed_meanwhile(error: ChangedMeanwhile) -> Response:
        return Refused(412, *because("Changed meanwhile", str(error))).response

    @routes.app_errorhandler(TooMany)
    def too_many(error: TooMany) -> Response:
        return Refused(409, *because("Too many subscriptions", str(error))).response

    @routes.app_errorhandler(Busy)
    def busy(_: Busy) -> Response:
        said = because("Service unavailable", "Other addresses are being checked: send this again")
        return Refused(503, *said, {"Retry-After": RETRY_AFTER}).response

    @routes.app_errorhandler(ReplayUnderWay)
    def replay_under_way(_: ReplayUnderWay) -> Response:
        return Refused(
            409, *because("Replay under way", "Wait until the replay before this one is worked off")
        ).response

    @routes.get("/event-types")
    def event_types() -> Response:
        client_of(service)
        page = _number("page", default=1)
        topic = request.args.get("topic")
        found = [one for one in service.event_types() if topic in (None, "", one.topic)]
        shown_now = found[(page - 1) * PAGE : page * PAGE]
        more = len(found) > page * PAGE
        meta = {"nextPage": page + 1 if more else None, "hasNextPage": more}
        return json_response({"data": {"events": [one.as_json() for one in shown_now], "meta": meta}})

    @routes.post("/subscriptions")
    def create() -> Response:
        client = client_of(service)
        values = valid(forms.NewSubscription())
        made, secret = saved(
            lambda: service.create(
                client,
                Wish(**_wish_values(values)),
                values.get("secret"),
                author(client),
                active=values.get("active", True),
            )
        )
        headers = {"ETag": _etag(made), "Location": f"/webhooks/subscriptions/{made.id}"}
        return json_response(shown(made) | {"secret": secret}, 201, headers)

    @routes.get("/subscriptions")
    def all_of_them() -> Response:
        client = client_of(service)
        return json_response({"data": [shown(one) for one in service.subscriptions.of_client(client.id)]})

    @routes.get("/subscriptions/<subscription_id>")
    def get(subscription_id: str) -> Response:
        return _shown(_own(service, subscription_id)[1])

    @routes.patch("/subscriptions/<subscription_id>")
    def change(subscription_id: str) -> Response:
        client, subscription = _own(service, subscription_id)
        _match(subscription)
        values = valid(forms.SubscriptionChange())
        changed = saved(
            lambda: service.change(
                subscription,
                changed_wish(subscription.wish, _wish_values(values)),
                author(client),
                active=values.get("active"),
                secret=values.get("secret"),
            )
        )
        return _shown(changed)

    @routes.delete("/subscriptions/<subscription_id>")
    def delete(subscription_id: str) -> Response:
        client, subscription = _own(service, subscription_id)
        _match(subscription)
        service.delete(subscription, author(client))
        return Response(status=204)

    @routes.post("/subscriptions/<subscription_id>/test")
    def test(subscription_id: str) -> Response:
        _, subscription = _own(service, subscription_id)
        values = valid(forms.TestRequest(), may_be_empty=True)
        name = values.get("eventType")
        event_id = saved(lambda: service.test([subscription], name, request_id()))
        return json_response({"eventId": event_id}, 202)

    @routes.post("/subscriptions/<subscription_id>/rotate-secret")
    def rotate(subscription_id: str) -> Response:
        client, subscription = _own(service, subscription_id)
        given = valid(forms.Rotation(), may_be_empty=True).get("secret")
        rotated, secret = saved(lambda: service.rotate(subscription, given, author(client)))
        return json_response(shown(rotated) | {"secret": secret}, 200, {"ETag": _etag(rotated)})

    @routes.post("/subscriptions/<subscription_id>/enable")
    def enable(subscription_id: str) -> Response:
        client, subscription = _own(service, subscription_id)
        wish = subscription.wish
        return _shown(saved(lambda: service.change(subscription, wish, author(client), active=True, secret=None)))

    @routes.post("/subscriptions/<subscription_id>/replay")
    def replay(subscription_id: str) -> Response:
        _, subscription = _own(service, subscription_id)
        if not subscription.active:
            raise Refused(409, *because("Not active", "Enable the subscription first, then replay"))
        span = valid(forms.Replay())
        until = span["until"].timestamp() if "until" in span else time.time() + 1
        since = max(0.0, span["since"].timestamp())
        service.replay(subscription, since, until, request_id(), only_failed=span["onlyFailed"])
        return json_response({}, 202)

    @routes.get("/subscriptions/<subscription_id>/deliveries")
    def deliveries(subscription_id: str) -> Response:
        _, subscription = _own(service, subscription_id)
        before = request.args.get("before", "").replace("\0", "") or None
        rows = service.deliveries(subscription, before, PAGE + 1)
        more = len(rows) > PAGE
        meta = {"before": rows[PAGE - 1].id if more else None, "hasNextPage": more}
        return json_response({"data": [shown_delivery(row) for row in rows[:PAGE]], "meta": meta})

    @routes.post("/deliveries/<delivery_id>/retry")
    def retry(delivery_id: str) -> Response:
        client = client_of(service)
        change = service.retry(client, delivery_id.replace("\0", ""), author(client))
        if not change.count:
            raise Refused(409, *because("Not retried", next(iter(change.refused.values()))))
        return json_response({}, 202)

    return routes


def client_of(service: WebhookService) -> Client:
    """Who calls. Raises Unauthenticated and Forbidden."""
    return admit_client(service.database, request, Permission.WEBHOOKS_MANAGE)


def author(client: Client) -> Author:
    """Whose doing it is, for the audit."""
    return Author(f"client {client.name}", request_id())


def valid(schema: Schema, *, may_be_empty: bool = False) -> Mapping[str, Any]:
    """The body, by this schema. Raises Refused."""
    if may_be_empty and not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    try:
        values: Mapping[str, Any] = schema.load(json_body(request, LARGEST_BODY))
    except ValidationError as error:
        raise Refused(422, "Invalid request", problems(error.messages)) from None
    return values


def saved(save: Any) -> Any:
    """What `save` returns. Raises Refused for what a client can mend."""
    try:
        return save()
    except ForbiddenUrl as error:
        raise Refused(422, "Invalid request", [{"path": ["url"], "message": str(error)}]) from None
    except BadSecret as error:
        raise Refused(422, "Invalid request", [{"path": ["secret"], "message": str(error)}]) from None
    except NeverTold as error:
        raise Refused(
            422, "Invalid request", [{"path": ["eventTypes", error.position], "message": str(error)}]
        ) from None
    except NoSuchEventType:
        said = "The subscription is told of no event of this type: see its eventTypes"
        raise Refused(422, "Invalid request", [{"path": ["eventType"], "message": said}]) from None


def _own(service: WebhookService, subscription_id: str) -> tuple[Client, Subscription]:
    client = client_of(service)
    return client, service.subscriptions.find(subscription_id, client.id)


def _wish_values(values: Mapping[str, Any]) -> dict[str, Any]:
    named = {_NAMES.get(name, name): value for name, value in values.items() if name not in _APART}
    if "event_types" in named:
        named["event_types"] = tuple(named["event_types"])
    return named


def _shown(subscription: Subscription) -> Response:
    return json_response(shown(subscription), 200, {"ETag": _etag(subscription)})


def _etag(subscription: Subscription) -> str:
    return f'"{subscription.rev}"'


def _match(subscription: Subscription) -> None:
    """Raises ChangedMeanwhile where If-Match names another revision."""
    named = request.headers.get("If-Match", "*")
    revisions = {one.strip().removeprefix("W/").strip('"') for one in named.split(",")}
    if not revisions & {"*", str(subscription.rev)}:
        raise ChangedMeanwhile(subscription.rev)


def _number(name: str, *, default: int) -> int:
    text = request.args.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not int(text[:9]) >= 1 or len(text) > 9:
        raise Refused(422, "Invalid request", [{"path": [name], "message": "Must be a number from 1."}])
    return int(text)
