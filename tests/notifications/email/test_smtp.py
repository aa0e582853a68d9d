"""The transport against a real mail server: what is sent, and to whom."""

from __future__ import annotations

import smtplib
import socket

import flask_mail
import pytest

from app.notifications.email.mime import Email, serialise
from app.notifications.email.smtp import (
    Refusal,
    SendResult,
    SmtpTransport,
)
from tests.notifications.email.conftest import (
    AMINA,
    BASHIR,
    CHIPO,
    NO_SUCH_USER,
    MakeTransport,
    an_email,
    permanent,
    temporary,
)
from tests.notifications.email.smtp_server import MailServer, MakeMailServer


def test_the_server_gets_the_message_and_every_recipient(either: SmtpTransport, either_server: MailServer) -> None:
    email = an_email(AMINA, bcc=(BASHIR, CHIPO))

    result = either.send(email)

    (received,) = either_server.received
    assert result == SendResult("250 2.0.0 Ok: queued as 1", {}, (AMINA, BASHIR, CHIPO))
    assert (received.mail_from, received.rcpt_tos) == ("no-reply@register.test", (AMINA, BASHIR, CHIPO))
    assert received.content == serialise(email)


def test_no_flask_application_and_no_name_of_this_host_is_asked_for(
    transport: SmtpTransport, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow() -> str:
        raise AssertionError("a DNS lookup that can take seconds")

    monkeypatch.setattr(socket, "getfqdn", slow)

    assert transport.send(an_email(AMINA)).accepted == (AMINA,)
    assert issubclass(type(transport._idle[0][1]), flask_mail.Connection)


def test_lines_of_dots_arrive_as_they_are(transport: SmtpTransport, mail_server: MailServer) -> None:
    email = Email("no-reply@register.test", (AMINA,), (), "", "<p>.</p>\n..\n", ".\n..\n.x\n", "<1@register.test>", 0.0)

    transport.send(email)

    assert mail_server.received[0].content == serialise(email)


def test_one_address_written_twice_is_one_recipient(transport: SmtpTransport, mail_server: MailServer) -> None:
    result = transport.send(an_email(f"Amina <{AMINA}>", AMINA, bcc=(AMINA,)))

    assert mail_server.received[0].rcpt_tos == (AMINA,)
    assert result.accepted == (f"Amina <{AMINA}>", AMINA)


def test_more_recipients_than_fit_one_batch_all_get_it(either: SmtpTransport, either_server: MailServer) -> None:
    many = tuple(f"recipient{number}@sink.test" for number in range(120))
    either_server.answers["recipient70@sink.test"] = NO_SUCH_USER

    result = either.send(an_email(bcc=many))

    assert len(result.accepted) == len(either_server.received[0].rcpt_tos) == 119
    assert list(result.refused) == ["recipient70@sink.test"]


def test_pipelined_commands_leave_in_one_write(
    transport: SmtpTransport, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes | str] = []
    send = smtplib.SMTP.send

    def recorded(connection: smtplib.SMTP, data: bytes | str) -> None:
        written.append(data)
        send(connection, data)

    monkeypatch.setattr(smtplib.SMTP, "send", recorded)
    transport.send(an_email(AMINA, BASHIR))

    (envelope,) = (data for data in written if isinstance(data, bytes) and b"RCPT" in data)
    assert [command[:4] for command in envelope.splitlines()] == [b"MAIL", b"RCPT", b"RCPT"]


@pytest.mark.parametrize(
    ("recipient", "asked_for"),
    [("amina@straße.test", "amina@xn--strae-oqa.test"), ("أمينة@sink.test", "أمينة@sink.test")],
)
def test_international_addresses_are_sent_to(
    recipient: str, asked_for: str, make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server(smtputf8=True)

    result = make_transport(server.settings()).send(an_email(recipient))

    assert result.accepted == (recipient,)
    assert server.received[0].rcpt_tos == (asked_for,)
    assert server.received[0].smtputf8 is not asked_for.isascii()


def test_without_smtputf8_only_the_addresses_beyond_ascii_are_refused(
    transport: SmtpTransport, mail_server: MailServer
) -> None:
    result = transport.send(an_email("أمينة@sink.test", AMINA))

    assert result.accepted == (AMINA,)
    assert result.refused["أمينة@sink.test"].permanent
    assert "SMTPUTF8" in result.refused["أمينة@sink.test"].reply


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "amina",
        "@sink.test",
        "a b@sink.test",
        "a@b@sink.test",
        "a@b,c@d",
        "a@sink.test>\r\nDATA",
        "a@‥",
        "a@" + "b" * 255,
    ],
)
def test_what_is_no_address_is_refused_without_asking(
    bad: str, transport: SmtpTransport, mail_server: MailServer
) -> None:
    result = transport.send(an_email(bad))

    assert result.accepted == ()
    assert result.refused == {bad: Refusal(True, "not an address that a mail server takes")}
    assert "RCPT" not in mail_server.commands


def test_a_message_to_nobody_is_refused_for_good(transport: SmtpTransport) -> None:
    assert permanent(transport, an_email()).reason == "the message has no recipient"


@pytest.mark.parametrize("sender", ["", "no-reply@", "أمينة@sink.test"])
def test_a_sender_that_the_server_cannot_take_names_the_setting(
    sender: str, transport: SmtpTransport, mail_server: MailServer
) -> None:
    error = temporary(transport, an_email(AMINA, sender=sender))

    assert "SENDER_EMAIL_ADDRESS" in error.answer
    assert error.destination_down
    assert "MAIL" not in mail_server.commands
