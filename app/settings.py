"""Settings, from the environment, checked as a whole before anything starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from app.environment import reading
from app.environment.receivers import Receiver
from app.environment.values import AppEnv, Credentials, Integration, InvalidSettings, LogoMode, StartTls
from app.instance import development_secret_key

__all__ = [
    "AppEnv",
    "Credentials",
    "Dkim",
    "Integration",
    "InvalidSettings",
    "LogoMode",
    "Network",
    "Receiver",
    "Settings",
    "Smtp",
    "StartTls",
]

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Smtp:
    """The mail server. `host` is None where none is set up; `implicit_tls` is TLS from the first byte."""

    host: str | None
    port: int
    implicit_tls: bool
    starttls: StartTls
    username: str | None
    password: str | None = field(repr=False)
    timeout: float
    max_recipients: int
    ca_file: str | None


@dataclass(frozen=True)
class Dkim:
    """For which domain mails are signed. `private_key` is PEM; the DNS has its public half at the selector."""

    domain: str
    selector: str
    private_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Everything that the environment decides. Durations are in seconds."""

    app_env: AppEnv
    application_name: str
    instance_dir: Path
    country_dir: Path | None
    database_url: str = field(repr=False)
    analytics_database_url: str | None = field(repr=False)
    event_config_url: str | None = field(repr=False)
    secret_keys: tuple[str, ...] = field(repr=False)
    log_level: str

    domain: str
    host: str
    port: int
    web_concurrency: int
    worker_metrics_port: int | None
    login_url: str
    client_app_url: str
    country_config_url: str

    auth_url: str | None
    gateway_url: str | None
    events_url: str | None
    integrations: tuple[Integration, ...]
    system_client: Credentials | None
    system_client_name: str
    keep_assignment: bool
    trusted_networks: tuple[Network, ...]
    trusted_proxies: tuple[Network, ...]
    tokenless_callers: tuple[Network, ...]

    default_language: str
    languages: tuple[str, ...]
    informant_language_field: str
    user_delivery_methods: tuple[str, ...]
    informant_delivery_methods: tuple[str, ...]
    informant_hold: float
    otp_ttl: int
    recovery_link_ttl: int
    decision_timeout: float
    webhook_allowed_networks: tuple[Network, ...]
    webhook_allow_http: bool
    webhook_ca_file: str | None
    webhook_retry_schedule: tuple[float, ...]
    forward_actions_to: tuple[Receiver, ...]
    forward_secrets: tuple[str, ...] = field(repr=False)
    smtp: Smtp
    sender_email_address: str
    reply_to: str | None
    email_logo: LogoMode
    dkim: Dkim | None
    alert_email: str
    alert_recipient_domains: tuple[str, ...]
    sms_provider: str | None
    sms_values: Mapping[str, Any] = field(repr=False)
    phone_region: str | None
    receipts_url: str | None

    @property
    def inbox(self) -> bool:
        """Whether messages may land in the inbox page; never in production."""
        return self.app_env is not AppEnv.PRODUCTION

    @property
    def email_is_set_up(self) -> bool:
        return self.smtp.host is not None or self.inbox

    @staticmethod
    def names() -> frozenset[str]:
        """The names of all variables that are read."""
        return reading.names()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings; outside production, a missing SECRET_KEY is made once and kept in INSTANCE_DIR.

        Raises InvalidSettings with every problem at once.
        """
        given = dict(os.environ if environ is None else environ)
        settings = _settings(reading.read(given))
        # A country's own SMS provider has variables of its own.
        return replace(settings, sms_values={**given, **settings.sms_values})


def _settings(values: Mapping[str, Any]) -> Settings:
    production = values["APP_ENV"] is AppEnv.PRODUCTION
    instance_dir = Path(values["INSTANCE_DIR"]).absolute()
    database_url = values["DATABASE_URL"] or f"sqlite:///{instance_dir / 'country-config.db'}"
    domain = values["DOMAIN"] or "localhost"
    on_sqlite = database_url.startswith("sqlite")
    return Settings(
        app_env=values["APP_ENV"],
        application_name=values["APPLICATION_NAME"],
        instance_dir=instance_dir,
        country_dir=Path(values["COUNTRY_DIR"]).absolute() if values["COUNTRY_DIR"] else None,
        database_url=database_url,
        analytics_database_url=_analytics_database_url(values, instance_dir, production),
        event_config_url=values["EVENT_CONFIG_URL"],
        secret_keys=values["SECRET_KEY"] or (development_secret_key(instance_dir),),
        log_level=values["LOG_LEVEL"],
        domain=domain,
        host=values["COUNTRY_CONFIG_HOST"],
        port=values["COUNTRY_CONFIG_PORT"],
        web_concurrency=values["WEB_CONCURRENCY"] or (1 if on_sqlite else 2),
        worker_metrics_port=values["WORKER_METRICS_PORT"],
        login_url=values["LOGIN_URL"] or "http://localhost:3020",
        client_app_url=values["CLIENT_APP_URL"],
        country_config_url=values["COUNTRY_CONFIG_URL"],
        gateway_url=values["GATEWAY_URL"].rstrip("/") if values["GATEWAY_URL"] else None,
        events_url=values["EVENTS_URL"].rstrip("/") if values["EVENTS_URL"] else None,
        integrations=values["INTEGRATIONS"],
        system_client=_system_client(values),
        keep_assignment=values["KEEP_ASSIGNMENT"],
        system_client_name=values["SYSTEM_CLIENT_NAME"],
        auth_url=values["AUTH_URL"].rstrip("/") if values["AUTH_URL"] else None,
        trusted_networks=values["TRUSTED_NETWORKS"],
        trusted_proxies=values["TRUSTED_PROXIES"],
        tokenless_callers=values["TOKENLESS_CALLERS"],
        default_language=values["DEFAULT_LANGUAGE"],
        languages=values["NOTIFICATION_LANGUAGES"] or (values["DEFAULT_LANGUAGE"],),
        informant_language_field=values["INFORMANT_LANGUAGE_FIELD"],
        user_delivery_methods=values["USER_NOTIFICATION_DELIVERY_METHOD"],
        informant_delivery_methods=values["INFORMANT_NOTIFICATION_DELIVERY_METHOD"],
        informant_hold=values["INFORMANT_HOLD"],
        otp_ttl=values["OTP_TTL"],
        recovery_link_ttl=values["RECOVERY_LINK_TTL"],
        decision_timeout=values["DECISION_TIMEOUT"],
        webhook_allowed_networks=values["WEBHOOK_ALLOWED_NETWORKS"],
        webhook_allow_http=values["WEBHOOK_ALLOW_HTTP"] or not production,
        webhook_ca_file=values["WEBHOOK_CA_FILE"],
        webhook_retry_schedule=values["WEBHOOK_RETRY_SCHEDULE"],
        forward_actions_to=values["FORWARD_ACTIONS_TO"],
        forward_secrets=values["FORWARD_SECRET"],
        smtp=Smtp(
            host=values["SMTP_HOST"],
            port=values["SMTP_PORT"],
            implicit_tls=values["SMTP_SECURE"],
            starttls=values["SMTP_STARTTLS"] or (StartTls.REQUIRE if production else StartTls.AUTO),
            username=values["SMTP_USERNAME"],
            password=values["SMTP_PASSWORD"],
            timeout=values["SMTP_TIMEOUT"],
            max_recipients=values["SMTP_MAX_RECIPIENTS"],
            ca_file=values["SMTP_CA_FILE"],
        ),
        sender_email_address=values["SENDER_EMAIL_ADDRESS"] or f"no-reply@{domain}",
        reply_to=values["EMAIL_REPLY_TO"],
        email_logo=values["EMAIL_LOGO"],
        dkim=_dkim(values),
        alert_email=values["ALERT_EMAIL"],
        alert_recipient_domains=values["ALERT_RECIPIENT_DOMAINS"],
        sms_provider=_sms_provider(values, production),
        sms_values=values,
        phone_region=values["PHONE_REGION"],
        receipts_url=values["RECEIPTS_URL"].rstrip("/") if values["RECEIPTS_URL"] else None,
    )


def _analytics_database_url(values: Mapping[str, Any], instance_dir: Path, production: bool) -> str | None:
    """In production there is none unless it is said: statistics that nobody knows of would be an unwatched copy."""
    given: str | None = values["ANALYTICS_DATABASE_URL"]
    return given or (None if production else f"sqlite:///{instance_dir / 'analytics.db'}")


def _sms_provider(values: Mapping[str, Any], production: bool) -> str | None:
    """A key of Infobip's is enough to say so: countries have it set already."""
    named: str | None = values["SMS_PROVIDER"]
    if named is not None:
        return named
    if values["INFOBIP_API_KEY"]:
        return "infobip"
    return None if production else "inbox"


def _system_client(values: Mapping[str, Any]) -> Credentials | None:
    if not values["SYSTEM_CLIENT_ID"]:
        return None
    return Credentials(values["SYSTEM_CLIENT_ID"], values["SYSTEM_CLIENT_SECRET"])


def _dkim(values: Mapping[str, Any]) -> Dkim | None:
    if not values["DKIM_DOMAIN"]:
        return None
    return Dkim(values["DKIM_DOMAIN"], values["DKIM_SELECTOR"], values["DKIM_PRIVATE_KEY_FILE"])
