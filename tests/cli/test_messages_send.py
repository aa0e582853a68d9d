"""`country-config messages send`: one message for real, marked as a test."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.cli.message_sending import send
from app.database.engine import Database
from app.encryption import Cipher
from app.notifications.inbox import Inbox
from tests.conftest import SECRET_KEY
from tests.console.countries import PNG, RULES, CountryFiles
from tests.notifications.email.smtp_server import DROP, MailServer
from tests.notifications.email.test_signing import KEY, dkim_settings, is_genuine
from tests.notifications.rendering import RENDERER

Run = Callable[..., Result]
AMINA = "amina@registry.test"
NUMBER = "+260977111222"


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path, mail_server: MailServer) -> Run:
    """Run the command with these arguments; settings by their names go before those for the mail server."""

    def invoke(*arguments: str, **environ: str) -> Result:
        settings = {
            "APP_ENV": "test",
            "DATABASE_URL": sqlite_url,
            "INSTANCE_DIR": str(tmp_path / "instance"),
            "SECRET_KEY": SECRET_KEY,
            "SMTP_HOST": mail_server.host,
            "SMTP_PORT": str(mail_server.port),
            "SMTP_TIMEOUT": "2",
            "DOMAIN": "registry.test",
            **environ,
        }
        return CliRunner().invoke(send, [*arguments], env=settings)

    return invoke


@pytest.fixture
def country(tmp_path: Path) -> CountryFiles:
    return CountryFiles(tmp_path / "country")


def only_message(mail_server: MailServer) -> EmailMessage:
    (received,) = mail_server.received
    return email.message_from_bytes(received.content, policy=email.policy.default)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


class TestEmail:
    def test_it_arrives_marked_as_a_test(self, run: Run, mail_server: MailServer) -> None:
        result = run("2fa", "--to", AMINA, EMAIL_REPLY_TO="help@registry.test")
        assert result.exit_code == 0, result.output
        assert "queued as 1" in result.stdout
        assert mail_server.received[0].rcpt_tos == (AMINA,)
        message = only_message(mail_server)
        assert message["Subject"] == "[Test] Your OpenCRVS sign-in code"
        assert message["From"] == "no-reply@registry.test"
        assert message["Reply-To"] == "help@registry.test"
        assert "730164" in text_of(message)

    def test_it_is_signed_as_the_worker_would(self, run: Run, mail_server: MailServer, tmp_path: Path) -> None:
        (tmp_path / "dkim.pem").write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        result = run("2fa", "--to", AMINA, **dkim_settings(tmp_path / "dkim.pem"))
        assert result.exit_code == 0, result.output
        assert is_genuine(mail_server.received[0].content)

    def test_two_are_two_messages(self, run: Run, mail_server: MailServer) -> None:
        for _ in range(2):
            assert run("2fa", "--to", AMINA).exit_code == 0
        ids = {email.message_from_bytes(one.content)["Message-ID"] for one in mail_server.received}
        assert len(ids) == 2

    def test_languages_are_said_in_one_message(self, run: Run, mail_server: MailServer) -> None:
        assert run("2fa", "--to", AMINA, "--language", "fr", "--language", "en").exit_code == 0
        text = text_of(only_message(mail_server))
        assert text.index("Bonjour Amina") < text.index("Dear Amina")

    def test_the_usual_languages_are_those_of_the_settings(self, run: Run, mail_server: MailServer) -> None:
        assert run("2fa", "--to", AMINA, NOTIFICATION_LANGUAGES="fr").exit_code == 0
        assert "Votre code" in str(only_message(mail_server)["Subject"])

    def test_a_countrys_own_message_goes_with_its_logo(
        self, run: Run, mail_server: MailServer, country: CountryFiles
    ) -> None:
        country.write("rules.py", RULES)
        country.words("hospital-discharge.subject,,Out of {{ward}},")
        country.template("hospital-discharge.html", '{% extends "layout.html" %}')
        country.template("logo.png", PNG)
        result = run("hospital-discharge", "--to", AMINA, COUNTRY_DIR=str(country.directory))
        assert result.exit_code == 0, result.output
        message = only_message(mail_server)
        assert message["Subject"] == "[Test] Out of ward"
        assert [part.get_content() for part in message.walk() if part.get_content_type() == "image/png"] == [PNG]

    @pytest.mark.parametrize(
        ("answers", "said"),
        [
            ({AMINA: "550 5.1.1 No such user"}, "550 5.1.1 No such user"),
            ({AMINA: "451 4.7.1 Come back later"}, "451 4.7.1 Come back later"),
            ({".": "554 5.7.1 Spam"}, "554 5.7.1 Spam"),
            ({"MAIL": "421 4.3.2 Shutting down"}, "421 4.3.2 Shutting down"),
            ({"BANNER": DROP}, "may take it later"),
        ],
    )
    def test_what_is_not_taken_exits_1_and_says_why(
        self, run: Run, mail_server: MailServer, answers: dict[str, object], said: str
    ) -> None:
        mail_server.answers.update(answers)
        result = run("2fa", "--to", AMINA)
        assert result.exit_code == 1
        assert "Not sent" in result.stderr
        assert said in result.stderr
        assert mail_server.received == []

    def test_without_a_mail_server_it_says_what_to_set(self, run: Run) -> None:
        result = run("2fa", "--to", AMINA, SMTP_HOST="")
        assert result.exit_code == 1
        assert "SMTP_HOST" in result.stderr

    def test_demo_users_are_sent_nothing(self, run: Run, mail_server: MailServer) -> None:
        result = run("2fa", "--to", "kalusha@Example.com")
        assert result.exit_code == 1
        assert "@example.com" in result.stderr
        assert mail_server.commands == []


class TestSms:
    @pytest.fixture
    def inbox(self, sqlite_url: str, cipher: Cipher) -> Iterator[Inbox]:
        database = Database(sqlite_url)
        yield Inbox(database, cipher)
        database.close()

    def test_it_goes_to_the_provider_marked_as_a_test(self, run: Run, inbox: Inbox) -> None:
        result = run("2fa", "--to", "+260 977 111 222", "--language", "en")
        assert result.exit_code == 0, result.output
        (message,) = inbox.newest()
        assert message.to == (NUMBER,)
        assert message.text.startswith("Test: 730164 is your OpenCRVS code")
        assert "1 segment: Test: 730164" in result.stdout

    def test_a_number_needs_its_country_code(self, run: Run, inbox: Inbox) -> None:
        result = run("2fa", "--to", "0977111222")
        assert result.exit_code == 2
        assert "country code" in result.stderr
        assert inbox.newest() == []

    def test_or_the_country_that_the_settings_name(self, run: Run, inbox: Inbox) -> None:
        assert run("2fa", "--to", "0977 111 222", PHONE_REGION="ZM").exit_code == 0
        assert inbox.newest()[0].to == (NUMBER,)

    def test_an_inbox_without_tables_is_said(self, run: Run, tmp_path: Path) -> None:
        result = run("2fa", "--to", NUMBER, DATABASE_URL=f"sqlite:///{tmp_path / 'new.db'}")
        assert result.exit_code == 1
        assert "db upgrade" in str(result.exception)

    def test_a_message_without_sms_is_refused(self, run: Run) -> None:
        result = run("all-user-notification", "--to", NUMBER)
        assert result.exit_code == 2
        assert "by e-mail only" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2af", "--to", AMINA], "Did you mean 2fa?"),
        (["something", "--to", AMINA], "There are user-created,"),
        (["2fa", "--to", AMINA, "--language", "xx"], f"no language xx; there are {', '.join(RENDERER.languages)}."),
        (["2fa", "--to", "a@b@c"], "not an e-mail address"),
        (["2fa", "--to", NUMBER, "--channel", "email"], "not an e-mail address"),
        (["2fa", "--to", AMINA, "--channel", "sms"], "no telephone number"),
        (["2fa"], "--to"),
    ],
)
def test_what_cannot_be_meant_is_said(run: Run, mail_server: MailServer, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert mail_server.commands == []


def test_a_broken_message_is_not_sent(run: Run, mail_server: MailServer, country: CountryFiles) -> None:
    country.template("2fa.html", "{% if %}")
    result = run("2fa", "--to", AMINA, COUNTRY_DIR=str(country.directory))
    assert result.exit_code == 1
    assert "2fa.html, line 1" in str(result.exception)
    assert mail_server.commands == []
