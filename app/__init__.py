"""The server that a country puts beside OpenCRVS. `create_app` and `create_worker` put its parts together.

The parts are imported inside: importing one of them alone must not bring in all the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.notifications.planning import Policy
    from app.notifications.render import Renderer
    from app.opencrvs.public_key import PublicKey
    from app.outbox.worker import Worker
    from app.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Raises InvalidSettings and InvalidRules; asks no database before it is asked something."""
    from flask import Flask, redirect, request

    from app import country, health, logs, metrics
    from app.access.core_token import CoreTokens
    from app.access.gate import Gate
    from app.access.networks import Callers
    from app.console.inbox import inbox_pages
    from app.database.engine import Database
    from app.decisions.confirming import Confirming
    from app.decisions.receiving import QuestionReceiver
    from app.decisions.service import DecisionService
    from app.decisions.store import Decisions
    from app.encryption import Cipher
    from app.notifications.inbox import Inbox
    from app.opencrvs.integrations import Integrations
    from app.settings import Settings
    from app.triggers import errors, requests
    from app.triggers.actions import action_routes
    from app.triggers.catalogue import trigger_types
    from app.triggers.confirmations import confirmation_routes
    from app.triggers.receiving import Receiver
    from app.triggers.routes import trigger_routes
    from app.triggers.system import system_routes

    settings = settings or Settings.from_env()
    logs.configure(settings)
    database = Database(settings.database_url)
    cipher = Cipher(settings.secret_keys)
    rules = country.load(settings.country_dir)
    kinds = trigger_types(rules)
    callers = Callers(settings.trusted_networks, settings.trusted_proxies)
    gate = Gate(CoreTokens(_public_key(settings)), callers)

    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # it would answer in HTML
    requests.install(app)
    errors.install(app)
    app.register_blueprint(trigger_routes(kinds, gate, Receiver(database, cipher), settings))
    decisions = Decisions(database, cipher, rules)
    service = DecisionService(QuestionReceiver(database, cipher), decisions, rules, settings.decision_timeout)
    app.register_blueprint(action_routes(gate, service))
    core = Integrations(settings.events_url) if settings.events_url else None
    app.register_blueprint(system_routes(gate, database, rules, settings.integrations, core))
    app.register_blueprint(confirmation_routes(gate, database, Confirming(decisions)))
    app.register_blueprint(health.routes(database))
    app.register_blueprint(metrics.routes(database, lambda: callers.is_trusted(request)))
    if settings.inbox:
        app.register_blueprint(inbox_pages(Inbox(database, cipher), lambda: callers.is_trusted(request)))
        app.add_url_rule("/", view_func=lambda: redirect("/inbox"), endpoint="start")
    app.extensions["database"] = database
    return app


def create_worker(settings: Settings) -> Worker:
    """The process that delivers. Raises InvalidSettings, InvalidRules, and MessageError for the country's words."""
    from app import country, logs
    from app.database.engine import Database
    from app.decisions.alerts import Alerts
    from app.decisions.erasure import TokenErasure
    from app.decisions.late import LateDecisions
    from app.decisions.store import Decisions
    from app.encryption import Cipher
    from app.notifications.email.sender import email_sender, to_inbox, to_mail_server
    from app.notifications.email.smtp import SmtpTransport
    from app.notifications.inbox import Inbox
    from app.notifications.sms.inbox import inbox_provider
    from app.notifications.sms.sender import sms_sender
    from app.opencrvs.confirmations import CoreEvents
    from app.outbox.worker import Worker
    from app.triggers.catalogue import trigger_types
    from app.triggers.planning import planner
    from app.triggers.rehearsal import rehearse

    logs.configure(settings)
    database = Database(settings.database_url)
    cipher = Cipher(settings.secret_keys)
    rules = country.load(settings.country_dir)
    kinds = trigger_types(rules)
    messages = {kind.message.name: kind.message for kind in kinds.values()}
    renderer = _renderer(settings)
    policy = _policy(settings)
    channels = {*policy.methods, "email"} & policy.destinations.keys() if policy.methods else set()
    rehearse(renderer, kinds.values(), channels, policy.language)
    inbox = Inbox(database, cipher)
    smtp = SmtpTransport(settings.smtp, settings.domain)
    transport = to_mail_server(smtp) if settings.smtp.host else to_inbox(inbox)
    minutes = max(1, settings.otp_ttl // 60)
    core = CoreEvents(settings.gateway_url) if settings.gateway_url else None
    late = LateDecisions(Decisions(database, cipher, rules), rules, settings.decision_timeout, core)
    senders = {
        "plan": planner(kinds, policy, database, late.plan),
        "decide": late.decide,
        "confirmation": late.confirm,
        "email": email_sender(renderer, transport, settings.sender_email_address, settings.domain, minutes),
        "sms": sms_sender(renderer, inbox_provider(inbox), messages, minutes),
    }
    alerts = Alerts(database, cipher, settings.alert_email, policy.destinations.get("email"), policy.language)
    chores = [alerts.raise_due, TokenErasure(database).erase_expired]
    destinations = {"rules", "core", *policy.destinations.values()}
    return Worker(database, cipher, senders, destinations, chores=chores, closing=[smtp.close, database.close])


def _public_key(settings: Settings) -> PublicKey:
    from app.access import development
    from app.opencrvs.public_key import FetchedKey, FixedKey

    if settings.auth_url is not None:
        return FetchedKey(settings.auth_url)
    return FixedKey(development.public_key(settings.instance_dir))


def _policy(settings: Settings) -> Policy:
    from app.notifications.planning import Policy

    destinations = {}
    if settings.email_is_set_up:
        destinations["email"] = "smtp" if settings.smtp.host else "inbox"
    if settings.sms_provider:
        destinations["sms"] = f"sms:{settings.sms_provider}"
    return Policy(
        methods=settings.user_delivery_methods,
        destinations=destinations,
        otp_ttl=settings.otp_ttl,
        max_recipients=settings.smtp.max_recipients,
        language=settings.default_language,
    )


def _renderer(settings: Settings) -> Renderer:
    from app.notifications import translations
    from app.notifications.render import Renderer

    ours = Path(__file__).parents[1]
    places = [settings.country_dir, ours] if settings.country_dir else [ours]
    return Renderer(
        [place / "templates" / "email" for place in places],
        translations.load([place / "translations" for place in places], settings.default_language),
        application_name=settings.application_name,
        login_url=settings.login_url,
        client_app_url=settings.client_app_url,
        country_config_url=settings.country_config_url,
    )
