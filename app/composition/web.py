"""The web application, put together."""

from __future__ import annotations

from functools import partial

from flask import Flask, redirect, request
from prometheus_client import CollectorRegistry

from app import country, health, logs
from app.access import development
from app.access.core_token import Claims, CoreTokens
from app.access.gate import Gate
from app.access.networks import Callers, TokenlessNetworks
from app.access.rate_limits import RateLimits
from app.composition.analytics import analytics_of
from app.composition.configurations import event_configurations
from app.composition.messages import previews, receipt_addresses
from app.composition.webhooks import webhook_blueprints
from app.console.inbox import inbox_pages
from app.database.engine import Database
from app.decisions.additions import Additions
from app.decisions.confirming import Confirming
from app.decisions.receiving import QuestionReceiver
from app.decisions.service import DecisionService
from app.decisions.store import Decisions
from app.encryption import Cipher
from app.http import errors, requests
from app.metrics import gauges, sharing
from app.metrics.left_out import LeftOut
from app.metrics.reading import DatabaseGauges
from app.metrics.received import Received
from app.metrics.requests import Names, count_requests
from app.metrics.routes import metrics_routes
from app.notifications.inbox import Inbox
from app.openapi.operations import operations
from app.openapi.routes import openapi_routes
from app.opencrvs.event_forms import EventForms
from app.opencrvs.integrations import Integrations
from app.opencrvs.offices import Offices
from app.opencrvs.public_key import FetchedKey, FixedKey, PublicKey
from app.opencrvs.registered_clients import RegisteredClients
from app.opencrvs.version_signs import VersionSigns
from app.records.actions import CONFIRMABLE
from app.settings import Settings
from app.triggers.actions import action_routes
from app.triggers.admission import Admission
from app.triggers.catalogue import EMAIL, trigger_types
from app.triggers.confirmations import confirmation_routes
from app.triggers.left_out_alerts import LeftOutAlerts
from app.triggers.place_lists import PlaceListRequests
from app.triggers.receipts import receipt_routes
from app.triggers.receiving import Receiver
from app.triggers.routes import TELEMETRY, trigger_routes
from app.triggers.system import system_routes
from app.triggers.system_setup import SystemSetup, own_integration


def create_app(settings: Settings) -> Flask:
    """The web application. Raises InvalidRules; asks no database before it is asked something."""
    logs.configure(settings)
    database = Database(settings.database_url)
    cipher = Cipher(settings.secret_keys)
    rules = country.load(settings.country_dir)
    kinds = trigger_types(rules)
    callers = Callers(settings.trusted_networks, settings.trusted_proxies)
    key = _public_key(settings)
    gate = Gate(CoreTokens(key), callers, database, TokenlessNetworks.from_settings(settings))
    signs = VersionSigns(database)
    admission = Admission(RateLimits(database, cipher), signs)

    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # it would answer in HTML
    requests.install(app)
    errors.install(app)
    receiver = Receiver(database, cipher)
    app.register_blueprint(trigger_routes(kinds, gate, admission, receiver, settings))
    counted = CollectorRegistry()
    configurations = event_configurations(settings)
    decisions = Decisions(database, cipher, rules)
    forms = EventForms(configurations)
    left_out = LeftOutAlerts(
        database, receiver, kinds[EMAIL], settings.alert_email, settings.sender_email_address, LeftOut(counted).count
    )
    additions = Additions(forms, left_out)
    if rules.rules:
        forms.prefetch()
    service = DecisionService(
        QuestionReceiver(database, cipher), decisions, rules, settings.decision_timeout, additions
    )
    has_client = settings.system_client is not None
    app.register_blueprint(action_routes(gate, service, signs, has_client=has_client))
    setup = SystemSetup(
        database,
        RegisteredClients(database, cipher),
        rules,
        settings.integrations,
        own_integration(settings.system_client_name, settings.system_client),
        Integrations(settings.events_url) if settings.events_url else None,
    )
    requests_of_lists = PlaceListRequests(database, cipher, Offices(database, core=None))

    def place_lists(token: str, claims: Claims) -> None:
        requests_of_lists.request(token, claims, requests.request_id())

    app.register_blueprint(system_routes(gate, setup, signs, place_lists))
    app.register_blueprint(confirmation_routes(gate, database, Confirming(decisions, has_client, additions)))
    app.register_blueprint(
        receipt_routes(database, cipher, receipt_addresses(settings), settings.sms_values["TWILIO_AUTH_TOKEN"])
    )
    for blueprint in webhook_blueprints(settings, database, cipher, kinds):
        app.register_blueprint(blueprint)
    app.register_blueprint(openapi_routes(operations(kinds.values()), settings.country_config_url))
    analytics = analytics_of(settings, rules, configurations)
    database.on_close(analytics.close)
    app.register_blueprint(analytics.routes(key, place_lists))
    app.register_blueprint(health.routes(database))
    names = Names([*kinds, "system/ready", TELEMETRY], ["/email", "/reindex"], CONFIRMABLE)
    count_requests(app, names, Received(counted, names.triggers, names.actions))
    figures = [sharing.of_all_processes(counted), DatabaseGauges(database, partial(gauges.read, has_client=has_client))]
    app.register_blueprint(metrics_routes(figures, lambda: callers.is_trusted(request)))
    if settings.inbox:
        from app.console.messages import message_pages

        app.register_blueprint(inbox_pages(Inbox(database, cipher), lambda: callers.is_trusted(request)))
        app.register_blueprint(message_pages(previews(settings, rules), lambda: callers.is_trusted(request)))
        app.add_url_rule("/", view_func=lambda: redirect("/inbox"), endpoint="start")
    app.extensions["database"] = database
    return app


def _public_key(settings: Settings) -> PublicKey:

    if settings.auth_url is not None:
        return FetchedKey(settings.auth_url)
    return FixedKey(development.public_key(settings.instance_dir))
