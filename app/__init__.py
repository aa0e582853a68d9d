"""The server that a country puts beside OpenCRVS. `create_app` and `create_worker` put its parts together.

The parts are imported inside: importing one of them alone must not bring in all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask
    from prometheus_client import CollectorRegistry

    from app.country import Country
    from app.notifications.checks.messages import Rehearsed
    from app.notifications.checks.problems import Problem
    from app.notifications.inbox import Inbox
    from app.notifications.planning import Policy
    from app.notifications.previews.current import Previews
    from app.notifications.render import Renderer
    from app.notifications.sms.receipts.addresses import ReceiptAddresses
    from app.notifications.sms.sender import Provider
    from app.notifications.translations import Translations
    from app.opencrvs.public_key import PublicKey
    from app.outbox.worker import Worker
    from app.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The web application. Raises InvalidSettings and InvalidRules; asks no database before it is asked something."""
    from flask import Flask, redirect, request
    from prometheus_client import CollectorRegistry

    from app import country, health, logs
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
    from app.metrics import gauges, sharing
    from app.metrics.reading import DatabaseGauges
    from app.metrics.received import Received
    from app.metrics.requests import Names, count_requests
    from app.metrics.routes import metrics_routes
    from app.notifications.inbox import Inbox
    from app.opencrvs.integrations import Integrations
    from app.settings import Settings
    from app.triggers import errors, requests
    from app.triggers.actions import action_routes
    from app.triggers.catalogue import trigger_types
    from app.triggers.confirmations import confirmation_routes
    from app.triggers.receipts import receipt_routes
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
    app.register_blueprint(
        receipt_routes(database, cipher, _receipt_addresses(settings), settings.sms_values["TWILIO_AUTH_TOKEN"])
    )
    app.register_blueprint(health.routes(database))
    counted = CollectorRegistry()
    names = Names([*kinds, "system/ready"], ["/email", "/reindex"], country.CONFIRMABLE)
    count_requests(app, names, Received(counted, names.triggers, names.actions))
    figures = [sharing.of_all_processes(counted), DatabaseGauges(database, gauges.read)]
    app.register_blueprint(metrics_routes(figures, lambda: callers.is_trusted(request)))
    if settings.inbox:
        from app.console.messages import message_pages

        app.register_blueprint(inbox_pages(Inbox(database, cipher), lambda: callers.is_trusted(request)))
        app.register_blueprint(message_pages(previews(settings, rules), lambda: callers.is_trusted(request)))
        app.add_url_rule("/", view_func=lambda: redirect("/inbox"), endpoint="start")
    app.extensions["database"] = database
    return app


def create_worker(settings: Settings, counted: CollectorRegistry | None = None) -> Worker:
    """The process that delivers, and counts in `counted`.

    Raises InvalidSettings, InvalidRules, and MessageError for the country's words.
    """
    from prometheus_client import CollectorRegistry

    from app import country, logs
    from app.database.engine import Database
    from app.decisions.alerts import Alerts
    from app.decisions.erasure import TokenErasure
    from app.decisions.late import LateDecisions
    from app.decisions.offices import OfficesForRules
    from app.decisions.store import Decisions
    from app.encryption import Cipher
    from app.metrics.delivered import Delivered
    from app.notifications.catalogue import INFORMANT_MESSAGES
    from app.notifications.email.sender import email_sender, to_inbox, to_mail_server
    from app.notifications.email.signing import signer
    from app.notifications.email.smtp import SmtpTransport
    from app.notifications.inbox import Inbox
    from app.notifications.languages import Languages
    from app.notifications.sms.sender import sms_sender
    from app.opencrvs.confirmations import CoreEvents
    from app.opencrvs.locations import CoreLocations
    from app.opencrvs.offices import Offices
    from app.outbox.worker import Worker
    from app.triggers.catalogue import trigger_types
    from app.triggers.consequences import with_consequences
    from app.triggers.informing import Informing
    from app.triggers.planning import planner
    from app.triggers.rehearsal import rehearsed, stop_if_broken
    from app.triggers.speaking import Speaking

    logs.configure(settings)
    database = Database(settings.database_url)
    cipher = Cipher(settings.secret_keys)
    rules = country.load(settings.country_dir)
    kinds = trigger_types(rules)
    messages = {kind.message.name: kind.message for kind in kinds.values()} | INFORMANT_MESSAGES
    renderer = create_renderer(settings)
    policy, to_informants = _policies(settings)
    stop_if_broken(check_messages(settings, rehearsed(kinds.values(), policy, to_informants)))
    inbox = Inbox(database, cipher)
    smtp = SmtpTransport(settings.smtp, settings.domain, sign=signer(settings.dkim) if settings.dkim else None)
    transport = to_mail_server(smtp) if settings.smtp.host else to_inbox(inbox)
    minutes = max(1, settings.otp_ttl // 60)
    core = CoreEvents(settings.gateway_url) if settings.gateway_url else None
    decisions = Decisions(database, cipher, rules)
    late = LateDecisions(decisions, rules, settings.decision_timeout, core)
    offices = Offices(database, CoreLocations(settings.gateway_url) if settings.gateway_url else None)
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
    consequences = [informing.owed]
    senders = {
        "plan": planner(kinds, policy, speaking, database, with_consequences(late.plan, decisions, consequences)),
        "decide": offices_for_rules.before(late.decide),
        "confirmation": with_consequences(late.confirm, decisions, consequences),
        "informant": informing.inform,
        "email": email_sender(
            renderer, transport, settings.sender_email_address, settings.domain, minutes, settings.reply_to
        ),
        "sms": sms_sender(renderer, sms_provider(settings, inbox), messages, minutes, settings.phone_region),
    }
    alerts = Alerts(database, cipher, settings.alert_email, policy.destinations.get("email"), settings.default_language)
    chores = [
        alerts.raise_due,
        TokenErasure(database).erase_expired,
        offices_for_rules.refresh,
    ]
    destinations = {"rules", "core", "informant", *policy.destinations.values()}
    closing = [smtp.close, offices.close, database.close]
    observe = Delivered(counted or CollectorRegistry()).observe
    return Worker(database, cipher, senders, destinations, chores=chores, closing=closing, observe=observe)


def create_preview(settings: Settings) -> Flask:
    """The page of the messages alone, for those who write them: whatever is wrong with their files, it says so."""
    from flask import Flask, redirect

    from app import country
    from app.console.messages import message_pages
    from app.notifications.checks.problems import error
    from app.triggers.catalogue import trigger_types

    try:
        rules = country.load(settings.country_dir)
        trigger_types(rules)
        shown = previews(settings, rules)
    except country.InvalidRules as broken:
        cure = "mend it, then start this again: the messages of rules.py are missing here"
        known = error(f"{settings.country_dir}/rules.py", None, str(broken), cure)
        shown = previews(settings, country.Country(settings.country_dir), [known])
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(message_pages(shown, lambda: True))
    app.add_url_rule("/", view_func=lambda: redirect("/messages"), endpoint="start")
    return app


def create_worker_metrics(settings: Settings, counted: CollectorRegistry) -> Flask:
    """What a worker that runs alone tells Prometheus: what it has counted itself."""
    from flask import Flask, request

    from app.access.networks import Callers
    from app.metrics.routes import metrics_routes
    from app.triggers import errors

    callers = Callers(settings.trusted_networks, settings.trusted_proxies)
    app = Flask(__name__, static_folder=None)
    errors.install(app)
    app.register_blueprint(metrics_routes([counted], lambda: callers.is_trusted(request)))
    return app


def _public_key(settings: Settings) -> PublicKey:
    from app.access import development
    from app.opencrvs.public_key import FetchedKey, FixedKey

    if settings.auth_url is not None:
        return FetchedKey(settings.auth_url)
    return FixedKey(development.public_key(settings.instance_dir))


def _policies(settings: Settings) -> tuple[Policy, Policy]:
    """For messages to users, and for those to informants."""
    from app.notifications.planning import Policy

    destinations = {}
    if settings.email_is_set_up:
        destinations["email"] = "smtp" if settings.smtp.host else "inbox"
    if settings.sms_provider:
        destinations["sms"] = f"sms:{settings.sms_provider}"
    to_users = Policy(
        methods=settings.user_delivery_methods,
        destinations=destinations,
        otp_ttl=settings.otp_ttl,
        max_recipients=settings.smtp.max_recipients,
        languages=settings.languages,
    )
    return to_users, replace(
        to_users, methods=settings.informant_delivery_methods, setting="INFORMANT_NOTIFICATION_DELIVERY_METHOD"
    )


def sms_provider(settings: Settings, inbox: Inbox) -> Provider:
    """Who takes SMS: the one that SMS_PROVIDER names. Raises InvalidSettings."""
    from app.notifications.sms.providers import sms_provider as provider

    return provider(
        settings.sms_provider or "inbox", settings.sms_values, inbox, settings.country_dir, _receipt_addresses(settings)
    )


def _receipt_addresses(settings: Settings) -> ReceiptAddresses | None:
    from app.notifications.sms.receipts.addresses import ReceiptAddresses

    return ReceiptAddresses(settings.receipts_url, settings.secret_keys) if settings.receipts_url else None


def message_places(settings: Settings) -> list[Path]:
    """The directories with `templates/` and `translations/` in them: the country's, where there is one, and ours."""
    ours = Path(__file__).parents[1]
    return [settings.country_dir, ours] if settings.country_dir else [ours]


def check_messages(settings: Settings, messages: Sequence[Rehearsed]) -> list[Problem]:
    """What is wrong with these messages, as far as their files say."""
    from app.notifications.checks.messages import check

    return check(
        message_places(settings),
        messages,
        lambda translations: _renderer_with(settings, translations),
        settings.languages,
        settings.default_language,
    )


def previews(settings: Settings, rules: Country, known: Sequence[Problem] = ()) -> Previews:
    """All messages, made with sample values from their files as they are at the moment. `known` is told with them."""
    from app.notifications.checks.messages import Rehearsed
    from app.notifications.previews.current import MessageFiles, Previews
    from app.triggers.catalogue import trigger_types
    from app.triggers.rehearsal import rehearsed

    messages = rehearsed(trigger_types(rules).values(), *_policies(settings))
    by_any_channel = [Rehearsed(one.sample, {"email", "sms"}) for one in messages]
    source = MessageFiles(
        message_places(settings),
        lambda translations: _renderer_with(settings, translations),
        lambda: check_messages(settings, by_any_channel),
        settings.languages,
        settings.default_language,
        known,
    )
    return Previews(source, messages)


def create_renderer(settings: Settings) -> Renderer:
    """What makes messages out of their words and look. Raises MessageError."""
    from app.notifications import translations

    directories = [place / "translations" for place in message_places(settings)]
    return _renderer_with(settings, translations.load(directories, settings.default_language))


def _renderer_with(settings: Settings, translations: Translations) -> Renderer:
    from app.notifications import logo, look
    from app.notifications.render import Names, Renderer

    directories = [place / "templates" / "email" for place in message_places(settings)]
    link = f"{settings.country_config_url.rstrip('/')}/content/country-logo"
    return Renderer(
        directories,
        translations,
        look.load(directories),
        logo.load(directories, settings.email_logo, link),
        Names(settings.application_name, settings.login_url, settings.client_app_url),
    )
