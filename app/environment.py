"""The environment: the variables that are read, their forms and defaults, and what is wrong with them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load
from marshmallow.validate import OneOf, Range
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

LOOPBACK_AND_PRIVATE = "127.0.0.0/8,::1/128,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
DELIVERY_METHODS = ("email", "sms")
METHODS = ("USER_NOTIFICATION_DELIVERY_METHOD", "INFORMANT_NOTIFICATION_DELIVERY_METHOD")

_CHECKOUT = Path(__file__).parents[1]

_CONTROLS = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_WORD = rf'[^\s{_CONTROLS}<>()\[\]\\,;:@"'
_ADDRESS = rf"{_WORD}]+@(?P<{{domain}}>{_WORD}.]+(?:\.{_WORD}.]+)*)"
_MAILBOX = re.compile(rf"[^{_CONTROLS}<>,]*<{_ADDRESS.format(domain='named')}>|{_ADDRESS.format(domain='bare')}")

# RFC 1035 section 2.3.1. Keys, unlike hosts, are found below names with underscores too.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_SELECTOR_LABEL = _LABEL.replace("0-9-", "0-9_-")
_SELECTOR = re.compile(rf"{_SELECTOR_LABEL}(?:\.{_SELECTOR_LABEL})*", re.IGNORECASE)
_LONGEST_DOMAIN = 253
_LONGEST_RETRY_PAUSE = 86_400


class InvalidSettings(Exception):
    """The environment does not make a working server; `problems` names each one with its cure."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("The settings do not work yet:\n" + "\n".join(f"  - {problem}" for problem in problems))


class AppEnv(StrEnum):
    """What this server is run for: it decides what may be left out and what is shown."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class StartTls(StrEnum):
    """SMTP_STARTTLS: whether the connection to the mail server must, may or may not be encrypted."""

    REQUIRE = "require"
    AUTO = "auto"
    NEVER = "never"


class LogoMode(StrEnum):
    """EMAIL_LOGO: how the country's logo comes into e-mails."""

    EMBEDDED = "embedded"  # goes along, where there is one
    LINKED = "linked"  # fetched from the country config server, if the reader's program allows that
    NONE = "none"


@dataclass(frozen=True)
class Integration:
    """Another system that may call core, with the scopes that it gets there."""

    name: str
    scopes: tuple[str, ...]


def names() -> frozenset[str]:
    """Of all variables that are read."""
    return frozenset(_Environment().fields)


def read(environ: Mapping[str, str]) -> dict[str, Any]:
    """The values by the names of their variables, those that are absent with their defaults.

    Raises InvalidSettings with every problem at once.
    """
    problems = []
    try:
        values: dict[str, Any] = _Environment().load(environ)
    except ValidationError as error:
        messages = cast("dict[str, list[str]]", error.messages)
        problems = [f"{name}: {' '.join(said)}" for name, said in messages.items()]
        values = _Environment().load({}) | dict.fromkeys(messages, "wrong") | error.valid_data
    problems += _half_given(values)
    problems += _signed_for_another(values)
    if values["APP_ENV"] is AppEnv.PRODUCTION:
        problems += _missing_in_production(values)
    if problems:
        raise InvalidSettings(problems)
    return values


class _List(fields.Field[tuple[Any, ...]]):
    """A comma-separated list; each item is read by `item`, a function that raises ValueError."""

    def __init__(self, item: Any = str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._item = item

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        try:
            return tuple(self._item(part.strip()) for part in value.split(",") if part.strip())
        except ValueError as error:
            raise ValidationError(str(error)) from None


def _pause(text: str) -> float:
    seconds = float(text)
    if not 0.1 <= seconds <= _LONGEST_RETRY_PAUSE:
        raise ValueError(f"each pause is 0.1 to {_LONGEST_RETRY_PAUSE} seconds")
    return seconds


def _integration(name: object, scopes: object) -> Integration:
    """Raises ValueError."""
    if not isinstance(name, str) or not name.strip() or not isinstance(scopes, list):
        raise ValueError
    if not all(isinstance(scope, str) and scope.strip() for scope in scopes):
        raise ValueError
    return Integration(name, tuple(scopes))


class _Integrations(fields.Field[tuple[Integration, ...]]):
    """A JSON list of {"name", "scopes"}."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Integration, ...]:
        try:
            listed = json.loads(value)
            wanted = tuple(_integration(one["name"], one["scopes"]) for one in listed)
        except (ValueError, TypeError, KeyError):
            raise ValidationError('not a JSON list of {"name": "...", "scopes": ["..."]}') from None
        if len({one.name for one in wanted}) != len(wanted):
            raise ValidationError("names an integration twice")
        return wanted


class _Domain(fields.Field[str]):
    """A domain of the DNS, in any letters; the value is in small ASCII letters (IDNA)."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        domain = _ascii(value)
        if _DOMAIN.fullmatch(domain) is None or len(domain) > _LONGEST_DOMAIN:
            raise ValidationError(
                "no domain. Write it as in the DNS, such as registry.example: "
                "letters, digits and hyphens between dots, 63 of them at most."
            )
        return domain


class _RsaKeyFile(fields.Field[bytes]):
    """The path of a PEM file with an RSA private key; its content is the value."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bytes:
        try:
            content = Path(value).read_bytes()
            key = load_pem_private_key(content, password=None)
        except OSError as error:
            raise ValidationError(f"cannot be read: {error.strerror}.") from None
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ValidationError("holds no private key without a password, in PEM.") from None
        if not isinstance(key, RSAPrivateKey):
            raise ValidationError("holds no RSA key. Make one with: openssl genrsa -out dkim.pem 2048")
        return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def _fernet_key(value: str) -> str:
    try:
        if len(value) != len(Fernet.generate_key()):  # two keys without a comma between them would pass for the first
            raise ValueError
        Fernet(value)
    except ValueError:
        raise ValueError(
            "not a Fernet key. Make one with: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        ) from None
    return value


def _delivery_method(value: str) -> str:
    if value not in DELIVERY_METHODS:
        raise ValueError(f"knows {' and '.join(DELIVERY_METHODS)}, or nothing to switch messages off")
    return value


def _address(value: str) -> None:
    if _MAILBOX.fullmatch(value) is None:
        raise ValidationError(
            'not one e-mail address. Write it as name@domain or "Name <name@domain>", without a comma or a second one.'
        )


def _selector(value: str) -> None:
    if _SELECTOR.fullmatch(value) is None or len(value) > _LONGEST_DOMAIN:
        raise ValidationError(
            "no name that the DNS can hold. Write what stands in front of ._domainkey there, such as 2026: "
            "ASCII letters, digits and hyphens, 63 of them at most between dots."
        )


def _ascii(domain: str) -> str:
    """In small letters, and as the DNS knows it where that can be done."""
    if domain.isascii():
        return domain.lower()
    import idna  # its tables are large, such domains are few

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        return domain


def _region(value: str) -> None:
    from phonenumbers import SUPPORTED_REGIONS  # its tables are large, and few ask

    if value not in SUPPORTED_REGIONS:
        raise ValidationError("no country. Write it with the two capital letters of ISO 3166, such as ZM.")


def _http_url(value: str) -> None:
    try:
        url = urlsplit(value)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0 and value.split() == [value]
    except ValueError:  # of the port
        usable = False
    if not usable:
        raise ValidationError("not a URL. It starts with http:// or https:// and a host, e.g. http://auth:4040")


def _database_url(value: str) -> None:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        url = None
    backend = url.get_backend_name() if url is not None else None
    if url is None or backend not in ("sqlite", "postgresql", "postgres") or (backend == "sqlite" and not url.database):
        raise ValidationError("neither sqlite:////path/to/a-file.db nor postgresql://user:password@host/database.")


class _Environment(Schema):
    """The variables this server reads, by the names that country teams know, with their defaults."""

    class Meta:
        unknown = EXCLUDE

    APP_ENV = fields.Enum(AppEnv, by_value=True, load_default=AppEnv.DEVELOPMENT)
    APPLICATION_NAME = fields.String(load_default="OpenCRVS")
    INSTANCE_DIR = fields.String(load_default=str(_CHECKOUT / "instance"))
    COUNTRY_DIR = fields.String(load_default=None)
    DATABASE_URL = fields.String(load_default=None, validate=_database_url)
    ANALYTICS_DATABASE_URL = fields.String(load_default=None, validate=_database_url)
    EVENT_CONFIG_URL = fields.String(load_default=None, validate=_http_url)
    SECRET_KEY = _List(_fernet_key, load_default=())
    LOG_LEVEL = fields.String(load_default="info", validate=OneOf(["debug", "info", "warning", "error"]))

    DOMAIN = fields.String(load_default=None)
    COUNTRY_CONFIG_HOST = fields.String(load_default="0.0.0.0")  # noqa: S104  core calls from other containers
    COUNTRY_CONFIG_PORT = fields.Integer(load_default=3040, validate=Range(1, 65535))
    WEB_CONCURRENCY = fields.Integer(load_default=None, validate=Range(1, 64))
    WORKER_METRICS_PORT = fields.Integer(load_default=None, validate=Range(1, 65535))
    LOGIN_URL = fields.String(load_default=None, validate=_http_url)
    CLIENT_APP_URL = fields.String(load_default="http://localhost:3000", validate=_http_url)
    COUNTRY_CONFIG_URL = fields.String(load_default="http://localhost:3040", validate=_http_url)

    GATEWAY_URL = fields.String(load_default=None, validate=_http_url)
    EVENTS_URL = fields.String(load_default=None, validate=_http_url)
    INTEGRATIONS = _Integrations(load_default=())
    AUTH_URL = fields.String(load_default=None, validate=_http_url)
    TRUSTED_NETWORKS = _List(ip_network, load_default=tuple(map(ip_network, LOOPBACK_AND_PRIVATE.split(","))))
    TRUSTED_PROXIES = _List(ip_network, load_default=())

    DEFAULT_LANGUAGE = fields.String(load_default="en")
    NOTIFICATION_LANGUAGES = _List(load_default=())
    INFORMANT_LANGUAGE_FIELD = fields.String(load_default="informant.language")
    USER_NOTIFICATION_DELIVERY_METHOD = _List(_delivery_method, load_default=("email",))
    INFORMANT_NOTIFICATION_DELIVERY_METHOD = _List(_delivery_method, load_default=("email",))
    INFORMANT_HOLD = fields.Float(load_default=30.0, validate=Range(0, 3600))
    DECISION_TIMEOUT = fields.Float(load_default=5.0, validate=Range(0.1, 60))
    WEBHOOK_ALLOWED_NETWORKS = _List(ip_network, load_default=())
    WEBHOOK_CA_FILE = fields.String(load_default=None)
    WEBHOOK_ALLOW_HTTP = fields.Boolean(load_default=False)
    WEBHOOK_RETRY_SCHEDULE = _List(_pause, load_default=(5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0))
    OTP_TTL = fields.Integer(load_default=600, validate=Range(1, 86400))
    SMTP_HOST = fields.String(load_default=None)
    SMTP_PORT = fields.Integer(load_default=587, validate=Range(1, 65535))
    SMTP_SECURE = fields.Boolean(load_default=False)
    SMTP_STARTTLS = fields.Enum(StartTls, by_value=True, load_default=None)
    SMTP_USERNAME = fields.String(load_default=None)
    SMTP_PASSWORD = fields.String(load_default=None)
    SMTP_TIMEOUT = fields.Float(load_default=15.0, validate=Range(0.1, 300))
    SMTP_MAX_RECIPIENTS = fields.Integer(load_default=100, validate=Range(1, 10000))
    SMTP_CA_FILE = fields.String(load_default=None)
    SENDER_EMAIL_ADDRESS = fields.String(load_default=None, validate=_address)
    DKIM_DOMAIN = _Domain(load_default=None)
    DKIM_SELECTOR = fields.String(load_default=None, validate=_selector)
    DKIM_PRIVATE_KEY_FILE = _RsaKeyFile(load_default=None)
    EMAIL_REPLY_TO = fields.String(load_default=None, validate=_address)
    EMAIL_LOGO = fields.Enum(LogoMode, by_value=True, load_default=LogoMode.EMBEDDED)
    ALERT_EMAIL = fields.String(load_default="", validate=_address)
    SMS_PROVIDER = fields.String(load_default=None)
    SMS_TIMEOUT = fields.Float(load_default=10.0, validate=Range(0.1, 60))
    PHONE_REGION = fields.String(load_default=None, validate=_region)
    RECEIPTS_URL = fields.String(load_default=None, validate=_http_url)
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


# What is set together, or not at all.
_TOGETHER = (
    (("SMTP_USERNAME", "SMTP_PASSWORD"), "The mail server is logged in to with both, or with neither."),
    (("DKIM_DOMAIN", "DKIM_SELECTOR", "DKIM_PRIVATE_KEY_FILE"), "Mails are signed with all three, or not at all."),
)


def _half_given(values: Mapping[str, Any]) -> list[str]:
    problems = []
    for together, why in _TOGETHER:
        given = [name for name in together if values[name]]
        if given and len(given) < len(together):
            problems += [f"{name}: missing, while {given[0]} is set. {why}" for name in together if not values[name]]
    return problems


def _signed_for_another(values: Mapping[str, Any]) -> list[str]:
    """What is signed for a domain that has nothing to do with its sender's fails DMARC (RFC 7489 section 3.1.1)."""
    sender = _MAILBOX.fullmatch(values["SENDER_EMAIL_ADDRESS"] or "")
    signed_for = values["DKIM_DOMAIN"] or ""
    if sender is None or _DOMAIN.fullmatch(signed_for) is None:
        return []
    domain = _ascii(sender["named"] or sender["bare"])
    if f".{domain}".endswith(f".{signed_for}"):
        return []
    why = f"neither the domain of SENDER_EMAIL_ADDRESS, {domain}, nor a parent of it"
    cure = f"receivers find no signature of the sender's (DMARC). Set it to {domain}, or send from {signed_for}."
    return [f"DKIM_DOMAIN: {signed_for} is {why}, so that {cure}"]


def _missing_in_production(values: Mapping[str, Any]) -> list[str]:
    problems = []
    methods = {method for name in METHODS for method in values[name]}
    if not values["SECRET_KEY"]:
        problems.append(
            "SECRET_KEY: missing. It encrypts what is kept; make one with: python -c "
            "'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        )
    if not values["AUTH_URL"]:
        problems.append(
            "AUTH_URL: missing. It is the address of core's auth service, whose key verifies core's "
            "tokens, e.g. http://auth:4040"
        )
    if not values["DOMAIN"]:
        problems.append("DOMAIN: missing. It is the right side of every Message-ID, e.g. registry.example")
    if not values["LOGIN_URL"]:
        problems.append("LOGIN_URL: missing. Messages link to it, e.g. https://login.registry.example")
    if not values["SENDER_EMAIL_ADDRESS"]:
        problems.append("SENDER_EMAIL_ADDRESS: missing. It is the From address of every message.")
    if "email" in methods and not values["SMTP_HOST"]:
        problems.append(f"SMTP_HOST: missing, while {' or '.join(METHODS)} sends by email.")
    provider = values["SMS_PROVIDER"] or ("infobip" if values["INFOBIP_API_KEY"] else None)
    if provider == "inbox" or ("sms" in methods and provider is None):
        problems.append(
            f"SMS_PROVIDER: none that sends for real, while {', '.join(METHODS)} or "
            "SMS_PROVIDER asks for sms: twilio, infobip or http. Or take sms out of the methods."
        )
    elif "sms" in methods and not values["PHONE_REGION"]:
        problems.append(
            "PHONE_REGION: missing, while SMS are sent. It is the country whose numbers are written without its code, "
            "e.g. ZM."
        )
    return problems
