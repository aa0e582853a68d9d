"""The variables, and what they are where they are not set."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, pre_load
from marshmallow.validate import OneOf, Range

from app.environment.domains import Domain, address, mail_domain, selector
from app.environment.forms import (
    List,
    RsaKeyFile,
    database_url,
    delivery_method,
    fernet_key,
    http_url,
    pause,
    region,
    signing_secret,
)
from app.environment.integrations import ClientId, Integrations
from app.environment.receivers import Receivers
from app.environment.values import AppEnv, LogoMode, StartTls

LOOPBACK_AND_PRIVATE = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
METHODS = ("USER_NOTIFICATION_DELIVERY_METHOD", "INFORMANT_NOTIFICATION_DELIVERY_METHOD")

_CHECKOUT = Path(__file__).parents[2]


class Environment(Schema):
    """The variables this server reads, by the names that country teams know, with their defaults."""

    class Meta:
        unknown = EXCLUDE

    APP_ENV = fields.Enum(AppEnv, by_value=True, load_default=AppEnv.DEVELOPMENT)
    APPLICATION_NAME = fields.String(load_default="OpenCRVS")
    INSTANCE_DIR = fields.String(load_default=str(_CHECKOUT / "instance"))
    COUNTRY_DIR = fields.String(load_default=None)
    DATABASE_URL = fields.String(load_default=None, validate=database_url)
    ANALYTICS_DATABASE_URL = fields.String(load_default=None, validate=database_url)
    EVENT_CONFIG_URL = fields.String(load_default=None, validate=http_url)
    SECRET_KEY = List(fernet_key, load_default=())
    LOG_LEVEL = fields.String(load_default="info", validate=OneOf(["debug", "info", "warning", "error"]))

    DOMAIN = fields.String(load_default=None)
    COUNTRY_CONFIG_HOST = fields.String(load_default="0.0.0.0")  # noqa: S104  core calls from other containers
    COUNTRY_CONFIG_PORT = fields.Integer(load_default=3040, validate=Range(1, 65535))
    WEB_CONCURRENCY = fields.Integer(load_default=None, validate=Range(1, 64))
    WORKER_METRICS_PORT = fields.Integer(load_default=None, validate=Range(1, 65535))
    LOGIN_URL = fields.String(load_default=None, validate=http_url)
    CLIENT_APP_URL = fields.String(load_default="http://localhost:3000", validate=http_url)
    COUNTRY_CONFIG_URL = fields.String(load_default="http://localhost:3040", validate=http_url)

    GATEWAY_URL = fields.String(load_default=None, validate=http_url)
    EVENTS_URL = fields.String(load_default=None, validate=http_url)
    INTEGRATIONS = Integrations(load_default=())
    SYSTEM_CLIENT_ID = ClientId(load_default=None)
    SYSTEM_CLIENT_SECRET = fields.String(load_default=None)
    SYSTEM_CLIENT_NAME = fields.String(load_default="country-config")
    KEEP_ASSIGNMENT = fields.Boolean(load_default=True)
    AUTH_URL = fields.String(load_default=None, validate=http_url)
    TRUSTED_NETWORKS = List(ip_network, load_default=tuple(map(ip_network, LOOPBACK_AND_PRIVATE.split(","))))
    TRUSTED_PROXIES = List(ip_network, load_default=())
    TOKENLESS_CALLERS = List(ip_network, load_default=())

    DEFAULT_LANGUAGE = fields.String(load_default="en")
    NOTIFICATION_LANGUAGES = List(load_default=())
    INFORMANT_LANGUAGE_FIELD = fields.String(load_default="informant.language")
    USER_NOTIFICATION_DELIVERY_METHOD = List(delivery_method, load_default=("email",))
    INFORMANT_NOTIFICATION_DELIVERY_METHOD = List(delivery_method, load_default=("email",))
    INFORMANT_HOLD = fields.Float(load_default=30.0, validate=Range(0, 3600))
    DECISION_TIMEOUT = fields.Float(load_default=5.0, validate=Range(0.1, 60))
    WEBHOOK_ALLOWED_NETWORKS = List(ip_network, load_default=())
    WEBHOOK_CA_FILE = fields.String(load_default=None)
    WEBHOOK_ALLOW_HTTP = fields.Boolean(load_default=False)
    WEBHOOK_RETRY_SCHEDULE = List(pause, load_default=(5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0))
    FORWARD_ACTIONS_TO = Receivers(load_default=())
    FORWARD_SECRET = List(signing_secret, load_default=())
    OTP_TTL = fields.Integer(load_default=600, validate=Range(1, 86400))
    # CONFIG_RECOVERY_LINK_EXPIRY_SECONDS of core's auth service, for which the reference's own texts say one hour.
    RECOVERY_LINK_TTL = fields.Integer(load_default=3_600, validate=Range(1, 86400))
    SMTP_HOST = fields.String(load_default=None)
    SMTP_PORT = fields.Integer(load_default=587, validate=Range(1, 65535))
    SMTP_SECURE = fields.Boolean(load_default=False)
    SMTP_STARTTLS = fields.Enum(StartTls, by_value=True, load_default=None)
    SMTP_USERNAME = fields.String(load_default=None)
    SMTP_PASSWORD = fields.String(load_default=None)
    SMTP_TIMEOUT = fields.Float(load_default=15.0, validate=Range(0.1, 300))
    SMTP_MAX_RECIPIENTS = fields.Integer(load_default=100, validate=Range(1, 10000))
    SMTP_CA_FILE = fields.String(load_default=None)
    SENDER_EMAIL_ADDRESS = fields.String(load_default=None, validate=address)
    DKIM_DOMAIN = Domain(load_default=None)
    DKIM_SELECTOR = fields.String(load_default=None, validate=selector)
    DKIM_PRIVATE_KEY_FILE = RsaKeyFile(load_default=None)
    EMAIL_REPLY_TO = fields.String(load_default=None, validate=address)
    EMAIL_LOGO = fields.Enum(LogoMode, by_value=True, load_default=LogoMode.EMBEDDED)
    ALERT_EMAIL = fields.String(load_default="", validate=address)
    ALERT_RECIPIENT_DOMAINS = List(mail_domain, load_default=())
    SMS_PROVIDER = fields.String(load_default=None)
    SMS_TIMEOUT = fields.Float(load_default=10.0, validate=Range(0.1, 60))
    PHONE_REGION = fields.String(load_default=None, validate=region)
    RECEIPTS_URL = fields.String(load_default=None, validate=http_url)
    TWILIO_ACCOUNT_SID = fields.String(load_default=None)
    TWILIO_AUTH_TOKEN = fields.String(load_default=None)
    TWILIO_API_KEY = fields.String(load_default=None)
    TWILIO_API_SECRET = fields.String(load_default=None)
    TWILIO_SENDER = fields.String(load_default=None)
    TWILIO_MESSAGING_SERVICE_SID = fields.String(load_default=None)
    TWILIO_CONTENT_SID = fields.String(load_default=None)
    TWILIO_BASE_URL = fields.String(load_default=None)
    INFOBIP_GATEWAY_ENDPOINT = fields.String(load_default=None)
    INFOBIP_API_KEY = fields.String(load_default=None)
    INFOBIP_SENDER_ID = fields.String(load_default=None)
    SMS_HTTP_URL = fields.String(load_default=None)
    SMS_HTTP_METHOD = fields.String(load_default=None)
    SMS_HTTP_HEADERS = fields.String(load_default=None)
    SMS_HTTP_BODY = fields.String(load_default=None)
    SMS_HTTP_SENDER = fields.String(load_default=None)
    SMS_HTTP_SUCCESS = fields.String(load_default=None)
    SMS_HTTP_REFUSED = fields.String(load_default=None)
    SMS_HTTP_MESSAGE_ID = fields.String(load_default=None)

    @pre_load
    def _empty_is_absent(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        """`SMTP_HOST=` means no host; only for the lists does an empty value say something: nothing."""
        means_none = {*METHODS, "TRUSTED_NETWORKS"}
        return {name: value.strip() for name, value in data.items() if value.strip() or name in means_none}
