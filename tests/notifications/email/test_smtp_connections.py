"""How the transport keeps its connections, and what becomes of a server that is ill."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from app.notifications.email.smtp import (
    MAILS_PER_CONNECTION,
    MAX_IDLE,
    Expired,
    PermanentError,
    SmtpTransport,
    TemporaryError,
)
from tests.notifications.email.conftest import (
    AMINA,
    BASHIR,
    LATER,
    NO_SUCH_USER,
    Clock,
    MakeTransport,
    an_email,
    temporary,
)
from tests.notifications.email.smtp_server import DROP, HANG, MailServer, MakeMailServer


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
