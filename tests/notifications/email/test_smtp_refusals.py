"""What the transport makes of a server that refuses."""

from __future__ import annotations

import pytest

from app.notifications.email.smtp import (
    PermanentError,
    Refusal,
    SendResult,
    SmtpTransport,
)
from tests.notifications.email.conftest import (
    AMINA,
    BASHIR,
    CHIPO,
    LATER,
    NO_SUCH_USER,
    MakeTransport,
    an_email,
    permanent,
    temporary,
)
from tests.notifications.email.smtp_server import MailServer, MakeMailServer


@pytest.mark.parametrize(
    ("reply", "for_good"),
    [
        (NO_SUCH_USER, True),
        (LATER, False),
        ("552 5.2.2 Mailbox full", True),
        ("552 Too many recipients", False),
        ("452 4.5.3 Too many recipients", False),
    ],
)
def test_a_refused_recipient_does_not_keep_the_message_from_the_others(
    reply: str, for_good: bool, either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.answers[BASHIR] = reply

    result = either.send(an_email(AMINA, bcc=(BASHIR, CHIPO)))

    assert result.accepted == (AMINA, CHIPO)
    assert result.refused == {BASHIR: Refusal(for_good, reply)}
    assert either_server.received[0].rcpt_tos == (AMINA, CHIPO)


def test_when_all_are_refused_each_refusal_is_told(either: SmtpTransport, either_server: MailServer) -> None:
    either_server.answers |= {AMINA: NO_SUCH_USER, BASHIR: LATER}

    result = either.send(an_email(AMINA, BASHIR))

    assert result == SendResult(LATER, {AMINA: Refusal(True, NO_SUCH_USER), BASHIR: Refusal(False, LATER)}, ())
    assert "DATA" not in either_server.commands


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ("DATA", "the mail server refused the message: 553 5.7.1 No"),
        (".", "the mail server refused the message: 553 5.7.1 No"),
    ],
)
def test_a_5xx_reply_is_for_good_and_says_why(
    where: str, reason: str, either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.answers[where] = "553 5.7.1 No"

    error = permanent(either)

    assert (error.reason, error.answer) == (reason, "553 5.7.1 No")


def test_a_sender_that_the_server_refuses_holds_up_all_mail(either: SmtpTransport, either_server: MailServer) -> None:
    either_server.answers["MAIL"] = "553 5.7.1 No"

    error = temporary(either)

    assert error.answer == "the mail server refused the sender address: 553 5.7.1 No. See SENDER_EMAIL_ADDRESS"
    assert error.destination_down


def test_a_message_that_is_too_large_is_refused_for_good(either: SmtpTransport, either_server: MailServer) -> None:
    either_server.answers["MAIL"] = "552 5.3.4 Message size exceeds fixed limit"

    assert permanent(either).reason.startswith("the mail server refused the message: 552")


@pytest.mark.parametrize(("extensions", "at_most"), [((), 0), (("PIPELINING",), 50)])
def test_after_a_refused_sender_no_further_recipient_is_asked_about(
    extensions: tuple[str, ...], at_most: int, make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server(extensions=extensions)
    server.answers["MAIL"] = "553 5.7.1 No"

    temporary(make_transport(server.settings()), an_email(*(f"recipient{n}@sink.test" for n in range(120))))

    assert server.commands.count("RCPT") <= at_most


@pytest.mark.parametrize("where", ["MAIL", "DATA", "."])
def test_a_4xx_reply_is_for_now_and_says_nothing_of_the_server(
    where: str, either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.answers[where] = LATER

    error = temporary(either)

    assert not error.destination_down
    assert LATER in error.answer


@pytest.mark.parametrize("where", ["BANNER", "MAIL", "RCPT", "DATA", "."])
def test_421_says_that_the_server_is_down(where: str, either: SmtpTransport, either_server: MailServer) -> None:
    either_server.answers[where] = "421 4.3.2 Shutting down"

    error = temporary(either)

    assert error.destination_down
    assert "421 4.3.2 Shutting down" in error.answer


def test_a_server_that_hangs_up_after_wrong_addresses_tells_which_were_wrong(
    either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.answers |= {BASHIR: NO_SUCH_USER, CHIPO: "421 4.7.0 Too many errors"}

    result = either.send(an_email(AMINA, BASHIR, CHIPO, "dalitso@sink.test"))

    assert result.accepted == ()
    assert {to: refusal.permanent for to, refusal in result.refused.items()} == {
        AMINA: False,
        BASHIR: True,
        CHIPO: False,
        "dalitso@sink.test": False,
    }


def test_a_message_beyond_the_servers_limit_is_for_good(
    make_mail_server: MakeMailServer, make_transport: MakeTransport
) -> None:
    server = make_mail_server(max_size=500)

    assert "552" in permanent(make_transport(server.settings())).reason
    assert "DATA" not in server.commands


@pytest.mark.parametrize("where", ["EHLO", "MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("reply", ["530 5.7.0 Authentication required", "hello?", "199 What"])
def test_what_no_message_can_help_is_the_destinations_trouble(
    where: str, reply: str, either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.answers[where] = reply
    either_server.answers["HELO"] = reply

    assert temporary(either).destination_down


@pytest.mark.parametrize("where", [AMINA, "."])
def test_no_address_is_left_in_clear_and_no_answer_is_long(
    where: str, transport: SmtpTransport, mail_server: MailServer
) -> None:
    mail_server.answers[where] = f"550 5.1.1 <{AMINA}> No user Amina here, try {BASHIR}. " + "It is a long story. " * 40

    try:
        said = transport.send(an_email(AMINA)).refused[AMINA].reply
    except PermanentError as error:
        said = error.reason

    assert "550 5.1.1" in said
    assert not any(address in said for address in (AMINA, BASHIR))
    assert where == "." or "Amina" not in said
    assert len(said) <= 300
