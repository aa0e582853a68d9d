"""The environment, read and judged as a whole."""

from __future__ import annotations

import re
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app import instance
from app.environment.variables import METHODS
from app.instance import development_auth_key
from app.settings import AppEnv, InvalidSettings, Settings, StartTls

README = Path(__file__).parents[1] / "README.md"

PRODUCTION = {
    "APP_ENV": "production",
    "SECRET_KEY": Fernet.generate_key().decode(),
    "AUTH_URL": "http://auth:4040",
    "DOMAIN": "registry.test",
    "LOGIN_URL": "https://login.registry.test",
    "SENDER_EMAIL_ADDRESS": "no-reply@registry.test",
    "SMTP_HOST": "mail.registry.test",
}
NEEDED = {"SECRET_KEY", "AUTH_URL", "DOMAIN", "LOGIN_URL", "SENDER_EMAIL_ADDRESS", "SMTP_HOST"}


def problems_of(environ: dict[str, str]) -> dict[str, str]:
    """What is said of each variable."""
    with pytest.raises(InvalidSettings) as raised:
        Settings.from_env(environ)
    return dict(problem.split(": ", 1) for problem in raised.value.problems)


def test_development_needs_no_settings_at_all(tmp_path: Path) -> None:
    settings = Settings.from_env({"INSTANCE_DIR": str(tmp_path / "instance")})
    assert settings.app_env is AppEnv.DEVELOPMENT
    assert settings.database_url == f"sqlite:///{tmp_path / 'instance' / 'country-config.db'}"
    assert (settings.host, settings.port, settings.web_concurrency) == ("0.0.0.0", 3040, 1)  # noqa: S104
    assert settings.auth_url is None
    assert settings.country_dir is None
    assert settings.user_delivery_methods == ("email",)
    assert (settings.otp_ttl, settings.recovery_link_ttl) == (600, 3_600)
    assert settings.sender_email_address == "no-reply@localhost"
    assert (settings.domain, settings.login_url) == ("localhost", "http://localhost:3020")
    assert settings.sms_provider == "inbox"
    assert settings.smtp.host is None
    assert (settings.smtp.port, settings.smtp.implicit_tls, settings.smtp.starttls) == (587, False, StartTls.AUTO)
    assert settings.smtp.max_recipients == 100
    assert settings.inbox
    assert settings.email_is_set_up


def test_the_instance_directory_does_not_move_with_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_env({"INSTANCE_DIR": "kept"})
    monkeypatch.chdir("/")
    assert settings.instance_dir == tmp_path / "kept"
    assert settings.secret_keys == ((tmp_path / "kept" / "secret-key").read_text(),)


def test_production_starts_with_what_it_needs_and_shows_no_inbox() -> None:
    settings = Settings.from_env(PRODUCTION)
    assert not settings.inbox
    assert settings.smtp.starttls is StartTls.REQUIRE
    assert settings.email_is_set_up
    assert settings.sms_provider is None


def test_production_says_all_that_is_missing_at_once() -> None:
    problems = problems_of({"APP_ENV": "production"})
    assert set(problems) == NEEDED
    assert all(said.startswith("missing") for said in problems.values())


def test_production_says_what_is_wrong_and_what_is_missing_together() -> None:
    problems = problems_of(
        {"APP_ENV": "production", "COUNTRY_CONFIG_PORT": "eighty", "SMTP_STARTTLS": "maybe", "OTP_TTL": "0"}
    )
    assert set(problems) == {"COUNTRY_CONFIG_PORT", "SMTP_STARTTLS", "OTP_TTL"} | NEEDED


def test_a_wrong_value_is_not_called_missing_too() -> None:
    problems = problems_of(PRODUCTION | {"SECRET_KEY": "short", "SENDER_EMAIL_ADDRESS": "nobody"})
    assert set(problems) == {"SECRET_KEY", "SENDER_EMAIL_ADDRESS"}
    assert "Fernet" in problems["SECRET_KEY"]
    assert "name@domain" in problems["SENDER_EMAIL_ADDRESS"]


def test_every_problem_is_one_line_of_the_message() -> None:
    with pytest.raises(InvalidSettings) as raised:
        Settings.from_env({"APP_ENV": "production", "SMTP_PORT": "0"})
    assert str(raised.value).count("\n  - ") == len(raised.value.problems) == len(NEEDED) + 1


def test_production_does_not_make_itself_a_key(tmp_path: Path) -> None:
    problems_of({"APP_ENV": "production", "INSTANCE_DIR": str(tmp_path / "instance")})
    assert not (tmp_path / "instance").exists()


@pytest.mark.parametrize(
    ("methods", "missing"),
    [
        pytest.param("email", {"SMTP_HOST"}, id="e-mail without a host"),
        pytest.param("sms", {"SMS_PROVIDER"}, id="sms without a provider"),
        pytest.param("sms,email", {"SMTP_HOST", "SMS_PROVIDER"}, id="both without either"),
    ],
)
@pytest.mark.parametrize("setting", METHODS)
def test_production_needs_what_its_delivery_methods_need(setting: str, methods: str, missing: set[str]) -> None:
    sent = {"SMTP_HOST": ""} | dict.fromkeys(METHODS, "") | {setting: methods}
    assert set(problems_of(PRODUCTION | sent)) == missing


def test_production_that_sends_nothing_needs_no_host() -> None:
    settings = Settings.from_env(PRODUCTION | {"SMTP_HOST": ""} | dict.fromkeys(METHODS, ""))
    assert settings.user_delivery_methods == ()
    assert not settings.email_is_set_up


def test_production_does_not_take_the_inbox_for_a_provider() -> None:
    assert set(problems_of(PRODUCTION | {"SMS_PROVIDER": "inbox"})) == {"SMS_PROVIDER"}


@pytest.mark.parametrize(
    ("written", "methods"),
    [
        ("email", ("email",)),
        ("sms", ("sms",)),
        ("sms,email", ("sms", "email")),
        (" email , sms ", ("email", "sms")),
        ("email,", ("email",)),
        ("", ()),
        ("  ", ()),
    ],
)
def test_delivery_methods_are_a_list_in_order_of_preference(
    make_settings: Callable[..., Settings], written: str, methods: tuple[str, ...]
) -> None:
    assert make_settings(USER_NOTIFICATION_DELIVERY_METHOD=written).user_delivery_methods == methods


@pytest.mark.parametrize("written", ["pigeon", "email,pigeon", "e-mail", "none"])
def test_a_delivery_method_that_nobody_knows_is_a_problem(written: str) -> None:
    assert (
        "email and sms"
        in problems_of({"USER_NOTIFICATION_DELIVERY_METHOD": written})["USER_NOTIFICATION_DELIVERY_METHOD"]
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "staging"),
        ("LOG_LEVEL", "loud"),
        ("COUNTRY_CONFIG_PORT", "65536"),
        ("WEB_CONCURRENCY", "0"),
        ("OTP_TTL", "ten minutes"),
        ("SMTP_PORT", "smtp"),
        ("SMTP_SECURE", "perhaps"),
        ("SMTP_STARTTLS", "always"),
        ("SMTP_TIMEOUT", "nan"),
        ("SMTP_TIMEOUT", "-1"),
        ("SMTP_MAX_RECIPIENTS", "0"),
        ("ALERT_EMAIL", "the operator"),
        ("SENDER_EMAIL_ADDRESS", "Registry <registry>"),
        ("PHONE_REGION", "Zambia"),
        ("TRUSTED_NETWORKS", "10.0.0.0/8,localhost"),
        ("TRUSTED_NETWORKS", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("TOKENLESS_CALLERS", "core"),
        ("TOKENLESS_CALLERS", "10.0.0.1/8"),
        ("ALERT_RECIPIENT_DOMAINS", "operators@registry.test"),
        ("ALERT_RECIPIENT_DOMAINS", "registry.test, *.registry.test"),
        ("DATABASE_URL", "country-config.db"),
        ("DATABASE_URL", "mysql://localhost/country"),
        ("DATABASE_URL", "sqlite://"),
        ("AUTH_URL", "auth:4040"),
        ("AUTH_URL", "http://"),
        ("GATEWAY_URL", "gateway.registry.test"),
        ("LOGIN_URL", "//login.registry.test"),
        ("CLIENT_APP_URL", "ftp://registry.test"),
        ("CLIENT_APP_URL", "javascript:alert(1)"),
        ("COUNTRY_CONFIG_URL", "http://registry.test:port"),
        ("COUNTRY_CONFIG_URL", "https://registry test"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    assert set(problems_of({name: value})) == {name}


@pytest.mark.parametrize("name", ["SENDER_EMAIL_ADDRESS", "EMAIL_REPLY_TO", "ALERT_EMAIL"])
@pytest.mark.parametrize(
    "value",
    [
        "a@b.test, c@d.test",
        "a@b.test; c@d.test",
        "a@b.test c@d.test",
        "A <a@b.test>, C <c@d.test>",
        "a@b.test <c@d.test",
        "<a@b.test> <c@d.test>",
        "Registry,a@b.test",
        "Registry, Lusaka <a@b.test>",
        "a@b@c.test",
        "@b.test",
        "a@",
        "a@.test",
        "a@b..test",
        "a@b.test\nBcc: c@d.test",
        "Registry\r\n <a@b.test>",
        "Registry\u2028 <a@b.test>",
        "a b@c.test",
    ],
)
def test_what_is_not_exactly_one_mailbox_is_refused_with_the_form(name: str, value: str) -> None:
    problems = problems_of({name: value})
    assert set(problems) == {name}
    assert "name@domain" in problems[name]
    assert "\n" not in problems[name]


@pytest.mark.parametrize(
    "value",
    [
        "a@b.test",
        "a.b+c@d-e.test",
        "<a@b.test>",
        "Registry <a@b.test>",
        '"Registry" <a@b.test>',
        "Registre d'état civil <a@b.test>",
        "a@état.test",
        "registry@localhost",
    ],
)
def test_one_mailbox_may_have_a_name(make_settings: Callable[..., Settings], value: str) -> None:
    settings = make_settings(SENDER_EMAIL_ADDRESS=value, EMAIL_REPLY_TO=value, ALERT_EMAIL=value)
    assert (settings.sender_email_address, settings.reply_to, settings.alert_email) == (value, value, value)


def test_networks_replace_the_default_ones(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(TRUSTED_NETWORKS="203.0.113.0/24, 2001:db8::1", TRUSTED_PROXIES="10.1.2.3")
    assert [str(network) for network in settings.trusted_networks] == ["203.0.113.0/24", "2001:db8::1/128"]
    assert [str(network) for network in settings.trusted_proxies] == ["10.1.2.3/32"]


@pytest.mark.parametrize(
    ("address", "trusted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.255.0.1", True),
        ("172.16.0.1", True),
        ("172.31.255.255", True),
        ("192.168.1.1", True),
        ("fd00::1", True),
        ("172.32.0.1", False),
        ("192.169.0.1", False),
        ("11.0.0.1", False),
        ("169.254.169.254", False),
        ("2001:db8::1", False),
    ],
)
def test_loopback_and_private_ranges_are_trusted_by_default(settings: Settings, address: str, trusted: bool) -> None:
    assert any(ip_address(address) in network for network in settings.trusted_networks) is trusted
    assert settings.trusted_proxies == ()


def test_by_default_nobody_is_exempt_from_tokens_and_alerts_go_to_no_domain(settings: Settings) -> None:
    assert settings.tokenless_callers == ()
    assert settings.alert_recipient_domains == ()


def test_callers_without_tokens_and_domains_of_alerts_are_listed(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(
        TOKENLESS_CALLERS="10.7.0.1, 10.8.0.0/16,2001:db8::/32",
        ALERT_RECIPIENT_DOMAINS="Registry.Test, état.test",
    )
    assert [str(network) for network in settings.tokenless_callers] == ["10.7.0.1/32", "10.8.0.0/16", "2001:db8::/32"]
    assert settings.alert_recipient_domains == ("registry.test", "xn--tat-9la.test")


def test_no_network_can_be_trusted(make_settings: Callable[..., Settings]) -> None:
    assert make_settings(TRUSTED_NETWORKS="").trusted_networks == ()


def test_an_empty_value_means_the_default(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(SMTP_HOST="", SMTP_PORT=" ", AUTH_URL="", SMTP_STARTTLS="")
    assert (settings.smtp.host, settings.smtp.port, settings.auth_url) == (None, 587, None)


def test_the_slash_at_the_end_of_the_auth_url_does_not_matter(make_settings: Callable[..., Settings]) -> None:
    assert make_settings(AUTH_URL="http://auth:4040/").auth_url == "http://auth:4040"


def test_a_url_without_its_scheme_is_refused_with_the_cure() -> None:
    assert "http://auth:4040" in problems_of({"AUTH_URL": "auth:4040"})["AUTH_URL"]


@pytest.mark.parametrize("name", ["SMTP_USERNAME", "SMTP_PASSWORD"])
def test_half_a_login_is_a_problem(name: str) -> None:
    (other,) = {"SMTP_USERNAME", "SMTP_PASSWORD"} - {name}
    problems = problems_of({name: "swordfish"})
    assert set(problems) == {other}
    assert name in problems[other]
    assert "swordfish" not in problems[other]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_served_by_more_processes(make_settings: Callable[..., Settings], scheme: str) -> None:
    settings = make_settings(DATABASE_URL=f"{scheme}://user:pw@db/country")
    assert settings.web_concurrency == 2


def test_several_secret_keys_keep_their_order(make_settings: Callable[..., Settings]) -> None:
    newest, oldest = (Fernet.generate_key().decode() for _ in range(2))
    assert make_settings(SECRET_KEY=f"{newest}, {oldest}").secret_keys == (newest, oldest)


@pytest.mark.parametrize(
    "bad",
    ["password", "x" * 44, "é" * 44, Fernet.generate_key().decode()[:-2], Fernet.generate_key().decode() * 2],
    ids=["a word", "wrong alphabet", "not ASCII", "cut off", "two without a comma"],
)
def test_a_bad_secret_key_is_refused_without_being_shown(bad: str) -> None:
    good = Fernet.generate_key().decode()
    said = problems_of({"SECRET_KEY": f"{good},{bad}"})["SECRET_KEY"]
    assert bad not in said
    assert good not in said
    assert "Fernet.generate_key()" in said


def test_no_secret_is_in_what_settings_print(make_settings: Callable[..., Settings]) -> None:
    key = Fernet.generate_key().decode()
    settings = make_settings(
        SECRET_KEY=key,
        DATABASE_URL="postgresql://country:hunter2@db/country",
        SMTP_USERNAME="country",
        SMTP_PASSWORD="swordfish",
    )
    for shown in (repr(settings), str(settings), f"{settings.smtp}"):
        assert not any(secret in shown for secret in (key, "hunter2", "swordfish"))
    assert settings.smtp.password == "swordfish"


def test_a_made_key_is_the_same_at_the_next_start_and_for_its_owner_alone(tmp_path: Path) -> None:
    environ = {"INSTANCE_DIR": str(tmp_path / "instance")}
    first = Settings.from_env(environ)
    assert first.secret_keys == Settings.from_env(environ).secret_keys
    Fernet(first.secret_keys[0])
    assert stat.S_IMODE((tmp_path / "instance" / "secret-key").stat().st_mode) == 0o600
    development_auth_key(tmp_path / "instance")
    assert stat.S_IMODE((tmp_path / "instance" / "auth-key.pem").stat().st_mode) == 0o600


def test_all_who_make_the_key_at_once_agree_on_one(tmp_path: Path) -> None:
    """Each is told to make it before any of them has; the file system decides, between processes as between threads."""
    path, all_are_making = tmp_path / "instance" / "secret-key", threading.Barrier(8)

    def make() -> bytes:
        all_are_making.wait(10)
        return Fernet.generate_key()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: instance._made_once(path, make), range(8)))
    assert keys == {path.read_bytes()}
    assert list(path.parent.iterdir()) == [path]


def test_every_variable_is_in_the_readme() -> None:
    readme = README.read_text(encoding="utf-8")
    missing = [name for name in sorted(Settings.names()) if not re.search(rf"(?<![A-Z_]){name}(?![A-Z_])", readme)]
    assert missing == []
