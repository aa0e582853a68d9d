"""Transports to a real mail server, and what they are given to send."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.notifications.email.mime import Email
from app.notifications.email.smtp import (
    PermanentError,
    SmtpTransport,
    TemporaryError,
)
from app.settings import Smtp
from tests.notifications.email.smtp_server import MailServer, MakeMailServer

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
