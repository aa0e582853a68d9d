"""What makes messages, looks them over, shows them and takes them, as the settings want it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from flask import Flask, redirect

from app import country
from app.console.messages import message_pages
from app.country import Country
from app.notifications import logo, look, translations
from app.notifications.catalogue import Expiry
from app.notifications.checks.messages import Rehearsed, check
from app.notifications.checks.problems import Problem, error
from app.notifications.email.signing import signer
from app.notifications.email.smtp import SmtpTransport
from app.notifications.inbox import Inbox
from app.notifications.planning import Policy
from app.notifications.previews.current import MessageFiles, Previews
from app.notifications.render import Names, Renderer
from app.notifications.sms.providers import sms_provider as provider
from app.notifications.sms.receipts.addresses import ReceiptAddresses
from app.notifications.sms.sender import Provider
from app.notifications.translations import Translations
from app.notifications.variables import MessageVariables
from app.settings import Settings
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import rehearsed, stop_if_broken


def policies(settings: Settings) -> tuple[Policy, Policy]:
    """For messages to users, and for those to informants."""
    destinations = {}
    if settings.email_is_set_up:
        destinations["email"] = "smtp" if settings.smtp.host else "inbox"
    if settings.sms_provider:
        destinations["sms"] = f"sms:{settings.sms_provider}"
    to_users = Policy(
        methods=settings.user_delivery_methods,
        destinations=destinations,
        lifetimes=_lifetimes(settings),
        max_recipients=settings.smtp.max_recipients,
        languages=settings.languages,
    )
    return to_users, replace(
        to_users, methods=settings.informant_delivery_methods, setting="INFORMANT_NOTIFICATION_DELIVERY_METHOD"
    )


def message_variables(settings: Settings) -> MessageVariables:
    """What works out the variables of a message."""
    return MessageVariables(settings.login_url, _lifetimes(settings))


def _lifetimes(settings: Settings) -> Mapping[Expiry, float]:
    return {Expiry.CODE: settings.otp_ttl, Expiry.LINK: settings.recovery_link_ttl}


def sms_provider(settings: Settings, inbox: Inbox) -> Provider:
    """Who takes SMS: the one that SMS_PROVIDER names. Raises InvalidSettings."""
    return provider(
        settings.sms_provider or "inbox", settings.sms_values, inbox, settings.country_dir, receipt_addresses(settings)
    )


def mail_server(settings: Settings) -> SmtpTransport:
    """What hands e-mails, signed where the settings have a key, to SMTP_HOST."""
    return SmtpTransport(settings.smtp, settings.domain, sign=signer(settings.dkim) if settings.dkim else None)


def receipt_addresses(settings: Settings) -> ReceiptAddresses | None:
    return ReceiptAddresses(settings.receipts_url, settings.secret_keys) if settings.receipts_url else None


def message_places(settings: Settings) -> list[Path]:
    """The directories with `templates/` and `translations/` in them: the country's, where there is one, and ours."""
    ours = Path(__file__).parents[2]
    return [settings.country_dir, ours] if settings.country_dir else [ours]


def create_renderer(settings: Settings) -> Renderer:
    """What makes messages out of their words and look. Raises MessageError."""
    directories = [place / "translations" for place in message_places(settings)]
    return _renderer_with(settings, translations.load(directories, settings.default_language))


def check_messages(settings: Settings, messages: Sequence[Rehearsed]) -> list[Problem]:
    """What is wrong with these messages, as far as their files say."""
    return check(
        message_places(settings),
        messages,
        lambda translations: _renderer_with(settings, translations),
        settings.languages,
        settings.default_language,
    )


def previews(settings: Settings, rules: Country, known: Sequence[Problem] = ()) -> Previews:
    """All messages, made with sample values from their files as they are at the moment. `known` is told with them."""
    messages = rehearsed(trigger_types(rules).values(), *policies(settings), message_variables(settings))
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


def stop_if_messages_are_broken(settings: Settings) -> None:
    """At the start, so that a broken message stops a deployment. Raises BrokenMessages, InvalidRules, MessageError."""
    kinds = trigger_types(country.load(settings.country_dir))
    messages = rehearsed(kinds.values(), *policies(settings), message_variables(settings))
    stop_if_broken(check_messages(settings, messages))


def create_preview(settings: Settings) -> Flask:
    """The page of the messages alone, for those who write them: whatever is wrong with their files, it says so."""
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


def _renderer_with(settings: Settings, translations: Translations) -> Renderer:
    directories = [place / "templates" / "email" for place in message_places(settings)]
    link = f"{settings.country_config_url.rstrip('/')}/content/country-logo"
    return Renderer(
        directories,
        translations,
        look.load(directories),
        logo.load(directories, settings.email_logo, link),
        Names(settings.application_name, settings.login_url, settings.client_app_url, settings.reply_to is not None),
    )
