"""The transport against a real mail server, well and ill."""

from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import flask_mail
import pytest

from app.notifications.email.mime import Email, serialise
from app.notifications.email.smtp import (
    MAILS_PER_CONNECTION,
    MAX_IDLE,
    Expired,
    PermanentError,
    Refusal,
    SendResult,
    SmtpTransport,
    TemporaryError,
)
from app.settings import Smtp, StartTls
from tests.notifications.email.smtp_server import DROP, HANG, MailServer, MakeMailServer

AMINA, BASHIR, CHIPO = "amina@sink.test", "bashir@sink.test", "chipo@sink.test"
NO_SUCH_USER = "550 5.1.1 No such user"
LATER = "451 4.7.1 Greylisted, come back later"

MakeTransport = Callable[..., SmtpTransport]


class Clock:
    """A monotonic clock that only a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def an_email(*to: str, bcc: tuple[str, ...] = (), sender: str = "Registry <no-reply@register.test>") -> Email:
    return Email(sender, to, bcc, "Your code", "<p>123456</p>", "123456", "<1@register.test>", 1_800_000_000.0)


@pytest.fixture
def make_transport() -> Iterator[MakeTransport]:
    """Transports that are closed when the test ends."""
    made: list[SmtpTransport] = []

    def make(smtp: Smtp, **more: Any) -> SmtpTransport:
        made.append(SmtpTransport(smtp, "register.test", **more))
        return made[-1]

    yield make
    for transport in made:
        transport.close()


@pytest.fixture
def transport(mail_server: MailServer, make_transport: MakeTransport) -> SmtpTransport:
    return make_transport(mail_server.settings())


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one by one", "pipelined"])
def either_server(request: pytest.FixtureRequest, make_mail_server: MakeMailServer) -> MailServer:
    """A server that takes commands one at a time, and one that takes several at once."""
    return make_mail_server(extensions=request.param)


@pytest.fixture
def either(either_server: MailServer, make_transport: MakeTransport) -> SmtpTransport:
    return make_transport(either_server.settings())


def temporary(transport: SmtpTransport, email: Email | None = None) -> TemporaryError:
    with pytest.raises(TemporaryError) as caught:
        transport.send(email or an_email(AMINA))
    assert "@sink.test" not in str(caught.value)
    return caught.value


def permanent(transport: SmtpTransport, email: Email | None = None) -> PermanentError:
    with pytest.raises(PermanentError) as caught:
        transport.send(email or an_email(AMINA))
    assert "@sink.test" not in str(caught.value)
    return caught.value


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


def test_one_connection_serves_many_messages(transport: SmtpTransport, mail_server: MailServer) -> None:
    for _ in range(5):
        transport.send(an_email(AMINA))

    assert mail_server.connections == 1
    assert mail_server.commands.count("EHLO") == 1


def test_threads_send_at_once_each_over_a_connection_of_its_own(
    mail_server: MailServer, make_transport: MakeTransport
) -> None:
    transport = make_transport(mail_server.settings())
    all_ready = threading.Barrier(4)

    def together() -> bool:
        all_ready.wait(5)
        return False

    def work() -> None:
        transport.send(an_email(AMINA), expired=together)
        for _ in range(4):
            transport.send(an_email(AMINA))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(mail_server.received) == 20
    assert mail_server.connections == 4


def test_a_connection_is_left_after_its_share_of_messages(transport: SmtpTransport, mail_server: MailServer) -> None:
    for _ in range(MAILS_PER_CONNECTION + 1):
        transport.send(an_email(AMINA))

    assert mail_server.connections == 2
    assert mail_server.commands.count("QUIT") == 1


@pytest.mark.parametrize(("idle", "connections"), [(MAX_IDLE - 1, 1), (MAX_IDLE, 2)])
def test_a_connection_that_was_idle_for_long_is_not_used_again(
    idle: float, connections: int, mail_server: MailServer, make_transport: MakeTransport
) -> None:
    clock = Clock()
    transport = make_transport(mail_server.settings(), clock=clock)
    transport.send(an_email(AMINA))

    clock.now += idle
    transport.send(an_email(AMINA))

    assert mail_server.connections == connections


@pytest.mark.parametrize("tls", [None, "starttls", "implicit"])
def test_a_connection_that_the_server_has_dropped_is_replaced(
    tls: str | None, make_mail_server: MakeMailServer, make_transport: MakeTransport, ca_file: Path
) -> None:
    server = make_mail_server(tls=tls)
    transport = make_transport(server.settings(ca_file=str(ca_file)))
    transport.send(an_email(AMINA))

    server.drop_connections()

    assert transport.send(an_email(AMINA)).accepted == (AMINA,)
    assert (server.connections, len(server.received)) == (2, 2)


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "."])
def test_a_kept_connection_that_ends_with_421_is_replaced(
    where: str, either: SmtpTransport, either_server: MailServer
) -> None:
    either.send(an_email(AMINA))
    either_server.once[where] = "421 4.4.2 Idle for too long"

    assert either.send(an_email(AMINA)).accepted == (AMINA,)
    assert (either_server.connections, len(either_server.received)) == (2, 2)


@pytest.mark.parametrize("where", ["MAIL", "RCPT", "DATA", "354", "."])
@pytest.mark.parametrize("fault", [DROP, LATER, NO_SUCH_USER, "421 4.3.2 Shutting down"])
def test_no_refusal_and_no_drop_spoils_the_next_message(
    where: str, fault: object, either: SmtpTransport, either_server: MailServer
) -> None:
    either_server.once[where] = fault
    with suppress(TemporaryError, PermanentError):
        assert either.send(an_email(BASHIR)).accepted == ()

    assert either.send(an_email(AMINA)).accepted == (AMINA,)
    assert [received.rcpt_tos for received in either_server.received] == [(AMINA,)]


@pytest.mark.parametrize("where", ["354", "."])
def test_a_message_that_may_have_arrived_is_not_sent_again_by_itself(
    where: str, transport: SmtpTransport, mail_server: MailServer
) -> None:
    transport.send(an_email(AMINA))
    mail_server.once[where] = DROP

    error = temporary(transport)

    assert error.destination_down
    assert len(mail_server.received) == 1


@pytest.mark.parametrize("where", ["BANNER", "EHLO", "MAIL", "RCPT", "DATA", "354", "."])
def test_a_server_that_hangs_costs_a_timeout_and_no_more(
    where: str, mail_server: MailServer, make_transport: MakeTransport
) -> None:
    mail_server.answers[where] = HANG
    transport = make_transport(mail_server.settings(timeout=0.3))

    error = temporary(transport)

    assert error.destination_down
    assert error.answer == f"localhost:{mail_server.port} does not answer within 0.3 s"


def test_a_server_that_speaks_plain_on_a_tls_port_costs_no_more_than_a_timeout(
    mail_server: MailServer, make_transport: MakeTransport
) -> None:
    error = temporary(make_transport(mail_server.settings(implicit_tls=True, timeout=0.3)))

    assert error.destination_down


def test_a_closed_port_says_that_the_server_is_down(
    closed_port: int, mail_server: MailServer, make_transport: MakeTransport
) -> None:
    error = temporary(make_transport(mail_server.settings(host="127.0.0.1", port=closed_port)))

    assert error.destination_down
    assert "Connection refused" in error.answer


def test_a_host_that_does_not_exist_names_the_setting(
    mail_server: MailServer, make_transport: MakeTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    error = temporary(make_transport(mail_server.settings(host="mail.nowhere.test")))

    assert error.destination_down
    assert error.answer.startswith("SMTP_HOST of mail.nowhere.test")


def test_without_a_host_the_setting_is_named(mail_server: MailServer, make_transport: MakeTransport) -> None:
    assert temporary(make_transport(mail_server.settings(host=None))).answer == "SMTP_HOST is not set"


def test_close_takes_leave_and_a_dead_server_does_not_hold_it_up(
    transport: SmtpTransport, mail_server: MailServer
) -> None:
    transport.send(an_email(AMINA))
    transport.close()
    transport.send(an_email(AMINA))
    mail_server.drop_connections()
    transport.close()

    assert mail_server.commands.count("QUIT") == 1


def test_expiry_is_asked_when_the_recipients_are_taken(transport: SmtpTransport, mail_server: MailServer) -> None:
    seen: list[list[str]] = []

    def expired() -> bool:
        seen.append(list(mail_server.commands))
        return False

    transport.send(an_email(AMINA), expired=expired)

    assert [commands[-1] for commands in seen] == ["RCPT"]


def test_what_has_expired_does_not_go_out_and_the_connection_stays(
    either: SmtpTransport, either_server: MailServer
) -> None:
    with pytest.raises(Expired):
        either.send(an_email(BASHIR), expired=lambda: True)
    either.send(an_email(AMINA))

    assert [received.rcpt_tos for received in either_server.received] == [(AMINA,)]
    assert either_server.connections == 1


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
