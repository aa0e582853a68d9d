"""Webhooks, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint

from app.database.engine import Database
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.notifications.catalogue import ALERT
from app.notifications.planning import Policy, plan
from app.outbox.delivery import NewDelivery, Sender
from app.settings import Settings
from app.triggers.catalogue import TriggerType
from app.triggers.event_types import all_event_types
from app.triggers.publishing import CHANNEL, DESTINATION, Publishing
from app.webhooks.addresses import AllowedAddresses
from app.webhooks.event import EventType
from app.webhooks.own_events import SUBSCRIPTION_DISABLED
from app.webhooks.publishing import Publisher
from app.webhooks.replaying import Replaying
from app.webhooks.routes import webhook_routes
from app.webhooks.sending import Sending
from app.webhooks.service import WebhookService
from app.webhooks.subscriptions import Subscriptions
from app.webhooks.topics import TOPICS, topic_routes

DESTINATIONS = (DESTINATION, "replay")


def allowed_addresses(settings: Settings) -> AllowedAddresses:
    """Where receivers may be."""
    return AllowedAddresses(settings.webhook_allowed_networks, settings.webhook_allow_http)


def event_types(kinds: Iterable[TriggerType], seen: Iterable[str]) -> list[EventType]:
    """The whole catalogue, by name."""
    others = [SUBSCRIPTION_DISABLED, *(topic.event_type for topic in TOPICS.values())]
    return sorted([*all_event_types(kinds, seen), *others], key=lambda one: one.name)


def webhook_blueprints(
    settings: Settings, database: Database, cipher: Cipher, kinds: Mapping[str, TriggerType]
) -> list[Blueprint]:
    """The API."""
    subscriptions = Subscriptions(database, cipher)
    publisher = Publisher(database, subscriptions)
    service = WebhookService(
        database,
        cipher,
        subscriptions,
        allowed_addresses(settings),
        lambda: event_types(kinds.values(), publisher.known()),
    )
    return [webhook_routes(service), topic_routes(service)]


@dataclass(frozen=True)
class WebhookSenders:
    """The worker's part: what sends, and what makes news of what was planned and confirmed."""

    senders: Mapping[str, Sender]
    with_news: Callable[[Sender], Sender]


def webhook_senders(
    settings: Settings,
    database: Database,
    cipher: Cipher,
    kinds: Mapping[str, TriggerType],
    decisions: Decisions,
    policy: Policy,
) -> WebhookSenders:
    """`policy` says where mail to an operator goes."""
    subscriptions = Subscriptions(database, cipher)

    def alert(mail: Mapping[str, str]) -> Sequence[NewDelivery]:
        return plan(ALERT, {"to": settings.alert_email, **mail}, 0.0, policy)

    publishing = Publishing(kinds, decisions, Publisher(database, subscriptions))
    sending = Sending(
        database,
        cipher,
        subscriptions,
        publishing.event,
        allowed_addresses(settings),
        settings.webhook_ca_file,
        settings.webhook_retry_schedule,
        alert,
    )
    replaying = Replaying(database, cipher, subscriptions, publishing.events)
    senders = {CHANNEL: publishing.publish, "webhook": sending.send, "replay": replaying.send}
    return WebhookSenders(senders, publishing.with_news)
