"""The transport over TLS, and how it signs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import StartTls
from tests.notifications.email.conftest import (
    AMINA,
    MakeTransport,
    an_email,
    temporary,
)
from tests.notifications.email.smtp_server import MailServer, MakeMailServer


@pytest.mark.parametrize(
    ("tls", "starttls"),
    [("implicit", StartTls.REQUIRE), ("starttls", StartTls.REQUIRE), ("starttls", StartTls.AUTO)],
)
def test_a_trusted_server_is_spoken_to_over_tls_and_logged_in_to(
    tls: str, starttls: StartTls, make_mail_server: MakeMailServer, make_transport: MakeTransport, ca_file: Path
) -> None:
    server = make_mail_server(tls=tls, credentials=("registry", "secret"))

    result = make_transport(server.settings(starttls=starttls, ca_file=str(ca_file))).send(an_email(AMINA))

    assert result.accepted == (AMINA,)
    assert server.received[0].tls
    assert server.logins == [("registry", "secret")]


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize(
    ("host", "trusted"), [("localhost", False), ("127.0.0.1", True)], ids=["unknown authority", "wrong name"]
)
@pytest.mark.parametrize("starttls", [StartTls.REQUIRE, StartTls.AUTO])
def test_a_server_that_cannot_prove_its_name_gets_no_password_and_no_message(
    tls: str,
    host: str,
    trusted: bool,
    starttls: StartTls,
    make_mail_server: MakeMailServer,
    make_transport: MakeTransport,
    ca_file: Path,
) -> None:
    server = make_mail_server(tls=tls, credentials=("registry", "secret"))
    smtp = server.settings(host=host, starttls=starttls, ca_file=str(ca_file) if trusted else None)

    error = temporary(make_transport(smtp))

    assert error.destination_down
    assert "is not trusted" in error.answer
    assert "SMTP_CA_FILE" in error.answer
    assert not server.logins
    assert "MAIL" not in server.commands


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_cannot_be_read_is_named(
    content: str | None, make_mail_server: MakeMailServer, make_transport: MakeTransport, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)

    error = temporary(make_transport(make_mail_server(tls="starttls").settings(ca_file=str(path))))

    assert error.destination_down
    assert error.answer.startswith(f"SMTP_CA_FILE {path}")


def test_where_starttls_is_required_nothing_goes_out_without_it(
    mail_server: MailServer, make_transport: MakeTransport
) -> None:
    error = temporary(make_transport(mail_server.settings(starttls=StartTls.REQUIRE)))

    assert error.destination_down
    assert "offers no STARTTLS, and SMTP_STARTTLS=require" in error.answer
    assert mail_server.commands == ["EHLO"]


def test_starttls_that_is_offered_and_then_denied_is_the_destinations_trouble(
    make_mail_server: MakeMailServer, make_transport: MakeTransport, ca_file: Path
) -> None:
    server = make_mail_server(tls="starttls")
    server.answers["STARTTLS"] = "454 4.7.0 TLS not available"

    error = temporary(make_transport(server.settings(ca_file=str(ca_file), starttls=StartTls.AUTO)))

    assert error.destination_down
    assert "MAIL" not in server.commands


def test_where_starttls_is_optional_a_server_without_it_is_sent_to_in_clear(
    mail_server: MailServer, make_transport: MakeTransport
) -> None:
    make_transport(mail_server.settings(starttls=StartTls.AUTO)).send(an_email(AMINA))

    assert not mail_server.received[0].tls


def test_a_password_never_goes_in_clear_unless_starttls_is_never(
    make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server(credentials=("registry", "secret"))

    error = temporary(make_transport(server.settings(starttls=StartTls.AUTO)))

    assert error.destination_down
    assert "SMTP_PASSWORD is not sent" in error.answer
    assert not server.logins
    assert make_transport(server.settings(starttls=StartTls.NEVER)).send(an_email(AMINA)).accepted == (AMINA,)


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("wrong", "refuses SMTP_USERNAME and SMTP_PASSWORD: 535 5.7.8"),
        ("sécret", "SMTP_USERNAME and SMTP_PASSWORD can only be ASCII"),
    ],
)
def test_a_wrong_password_is_the_operators_to_mend_and_burns_no_message(
    password: str, said: str, make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server(credentials=("registry", "secret"))

    error = temporary(make_transport(server.settings(password=password)))

    assert error.destination_down
    assert said in error.answer
    assert password not in error.answer


def test_a_login_that_the_server_does_not_offer_names_the_settings(
    make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server()
    server.answers["EHLO"] = "250 mail.test"

    error = temporary(make_transport(server.settings(username="registry", password="secret")))

    assert error.destination_down
    assert "offers no login" in error.answer


def test_a_missing_login_names_the_settings(make_mail_server: MakeMailServer, make_transport: MakeTransport) -> None:
    server = make_mail_server(credentials=("registry", "secret"))

    error = temporary(make_transport(server.settings(username=None)))

    assert error.destination_down
    assert "SMTP_USERNAME" in error.answer
