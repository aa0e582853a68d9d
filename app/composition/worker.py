"""The process that delivers, put together."""

from __future__ import annotations

from flask import Flask, request
from prometheus_client import CollectorRegistry

from app import country, logs
from app.access.networks import Callers
from app.access.rate_limits import RateLimits
from app.composition.analytics import analytics_of, places_of
from app.composition.configurations import event_configurations
from app.composition.core import system_client
from app.composition.messages import create_renderer, mail_server, message_variables, policies, sms_provider
from app.composition.webhooks import DESTINATIONS, webhook_senders
from app.database.engine import Database
from app.decisions.additions import Additions
from app.decisions.alerts import Alerts
from app.decisions.confirmer import Confirmer
from app.decisions.erasure import TokenErasure
from app.decisions.late import LateDecisions
from app.decisions.offices import OfficesForRules, ReadingToken
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.http import errors
from app.metrics.delivered import Delivered
from app.metrics.left_out import LeftOut
from app.metrics.routes import metrics_routes
from app.notifications.catalogue import INFORMANT_MESSAGES
from app.notifications.email.sender import email_sender, to_inbox, to_mail_server
from app.notifications.inbox import Inbox
from app.notifications.languages import Languages
from app.notifications.sms.sender import sms_sender
from app.opencrvs.confirmations import CoreEvents
from app.opencrvs.event_forms import EventForms
from app.opencrvs.locations import CoreLocations
from app.opencrvs.offices import Offices
from app.outbox.worker import Worker
from app.settings import Settings
from app.triggers.catalogue import EMAIL, trigger_types
from app.triggers.consequences import with_consequences
from app.triggers.forwarder import Forwarder, by_destination
from app.triggers.informing import Informing
from app.triggers.left_out_alerts import LeftOutAlerts
from app.triggers.place_lists import PlaceLists
from app.triggers.planning import planner
from app.triggers.receiving import Receiver
from app.triggers.speaking import Speaking


def create_worker(settings: Settings, counted: CollectorRegistry | None = None) -> Worker:
    """The process that delivers, and counts in `counted`.

    Raises InvalidSettings, InvalidRules, and MessageError for the country's words.
    """
    logs.configure(settings)
    database = Database(settings.database_url)
    cipher = Cipher(settings.secret_keys)
    rules = country.load(settings.country_dir)
    kinds = trigger_types(rules)
    messages = {kind.message.name: kind.message for kind in kinds.values()} | INFORMANT_MESSAGES
    renderer = create_renderer(settings)
    policy, to_informants = policies(settings)
    inbox = Inbox(database, cipher)
    smtp = mail_server(settings)
    transport = to_mail_server(smtp) if settings.smtp.host else to_inbox(inbox)
    variables = message_variables(settings)
    core = CoreEvents(settings.gateway_url) if settings.gateway_url else None
    core_locations = CoreLocations(settings.gateway_url) if settings.gateway_url else None
    client = system_client(settings)
    configurations = event_configurations(settings)
    decisions = Decisions(database, cipher, rules)
    forms = EventForms(configurations)
    receiver = Receiver(database, cipher)
    counted = counted or CollectorRegistry()
    left_out = LeftOutAlerts(
        database, receiver, kinds[EMAIL], settings.alert_email, settings.sender_email_address, LeftOut(counted).count
    )
    additions = Additions(forms, left_out)
    late = LateDecisions(decisions, rules, settings.decision_timeout, additions)
    if rules.rules:
        forms.prefetch()
    confirmer = Confirmer(decisions, core, client, additions, settings.keep_assignment)
    reading_token = ReadingToken(decisions, client)
    offices = Offices(database, core_locations, token=reading_token)
    offices_for_rules = OfficesForRules(decisions, offices)
    speaking = Speaking(rules, Languages(settings.languages, renderer.languages), settings.decision_timeout)
    informing = Informing(
        database,
        decisions,
        rules,
        offices,
        to_informants,
        speaking,
        settings.informant_language_field,
        settings.informant_hold,
        settings.decision_timeout,
    )
    webhooks = webhook_senders(settings, database, cipher, kinds, decisions, policy)
    analytics = analytics_of(settings, rules, configurations)
    analysing = analytics.analysing(decisions)
    places = places_of(settings, analytics, database, reading_token)
    receivers = by_destination(settings.forward_actions_to)
    forwarder = Forwarder(decisions, receivers, settings.forward_secrets, settings.webhook_ca_file)
    consequences = [informing.owed, analysing.owed]
    forwarding = [forwarder.deliveries_for]
    plan_action = with_consequences(late.plan, decisions, consequences, forwarding)
    senders = {
        **webhooks.senders,
        "plan": webhooks.with_news(planner(kinds, policy, speaking, database, plan_action)),
        "decide": offices_for_rules.before(late.decide),
        "confirmation": webhooks.with_news(with_consequences(confirmer.confirm, decisions, consequences, forwarding)),
        "informant": informing.inform,
        "analytics": analysing.write,
        "forward": forwarder.send,
        "place-lists": PlaceLists(core_locations, offices, places).fetch,
        "email": email_sender(
            renderer, transport, settings.sender_email_address, settings.domain, variables, settings.reply_to
        ),
        "sms": sms_sender(renderer, sms_provider(settings, inbox), messages, variables, settings.phone_region),
    }
    alerts = Alerts(
        database,
        cipher,
        settings.alert_email,
        policy.destinations.get("email"),
        settings.default_language,
        has_client=settings.system_client is not None,
    )
    chores = [
        alerts.raise_due,
        TokenErasure(database).erase_expired,
        RateLimits(database, cipher).delete_expired,
        offices_for_rules.refresh,
        *([places.refresh] if places is not None else []),
    ]
    destinations = {"rules", "core", "informant", "analytics", *DESTINATIONS, *receivers, *policy.destinations.values()}
    closing = [
        smtp.close,
        offices.close,
        *([places.close] if places is not None else []),
        analytics.close,
        database.close,
    ]
    observe = Delivered(counted).observe
    return Worker(database, cipher, senders, destinations, chores=chores, closing=closing, observe=observe)


def create_worker_metrics(settings: Settings, counted: CollectorRegistry) -> Flask:
    """What a worker that runs alone tells Prometheus: what it has counted itself."""
    callers = Callers(settings.trusted_networks, settings.trusted_proxies)
    app = Flask(__name__, static_folder=None)
    errors.install(app)
    app.register_blueprint(metrics_routes([counted], lambda: callers.is_trusted(request)))
    return app
