"""E-mail to the mail server, over connections that are kept."""

from __future__ import annotations

import re
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property

import flask_mail

from app.notifications.email.answers import (
    ConnectionGone,
    Expired,
    PermanentError,
    Refusal,
    SendResult,
    TemporaryError,
)
from app.notifications.email.connection import Connection, Message
from app.notifications.email.mime import Email
from app.settings import Smtp

__all__ = ["Expired", "PermanentError", "Refusal", "SendResult", "SmtpTransport", "TemporaryError"]

MAILS_PER_CONNECTION = 100  # servers cut a connection that carries many; better to leave by ourselves
MAX_IDLE = 30.0  # seconds; then a firewall may have forgotten the connection, and to find out takes a timeout


class SmtpTransport:
    """Sends e-mail, from any number of threads. Each has a connection to itself while it sends.

    Connections are kept for the next message, of whichever thread, so that there are never more than have
    been sending at once. Where the server has ended one meanwhile, a new one takes its place.
    """

    def __init__(
        self,
        smtp: Smtp,
        domain: str,
        *,
        sign: Callable[[bytes], bytes] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`sign` puts a signature in front of a serialised message."""
        self._smtp = smtp
        self._sign = sign
        self._local_hostname = domain if re.fullmatch(r"[A-Za-z0-9.-]+", domain) else "localhost"
        self._clock = clock
        self._idle: deque[tuple[float, Connection]] = deque()  # since when; the last used on the right
        self._mail = flask_mail.Mail()
        self._mail.state = self._mail.init_mail(
            {
                "MAIL_SERVER": smtp.host,
                "MAIL_PORT": smtp.port,
                "MAIL_USE_SSL": smtp.implicit_tls,
                "MAIL_USERNAME": smtp.username,
                "MAIL_PASSWORD": smtp.password,
                "MAIL_MAX_EMAILS": MAILS_PER_CONNECTION,
            }
        )

    def send(self, email: Email, *, expired: Callable[[], bool] = lambda: False) -> SendResult:
        """Hand the message to the mail server; recipients that it refused are in the result.

        `expired` is asked when the recipients are taken, right before the message itself goes. Raises Expired,
        TemporaryError or PermanentError; none leaves anything behind that the next message would meet.
        """
        message = Message(email, expired, self._sign)
        kept = self._take()
        if kept is not None:
            with suppress(ConnectionGone):
                return self._send(kept, message)
        fresh = Connection(self._mail, self._smtp, self._local_hostname, lambda: self._tls)
        return self._send(fresh, message)

    def close(self) -> None:
        """Take leave of the server. To be called when nothing sends any more."""
        with suppress(IndexError):
            while True:
                self._idle.pop()[1].close()

    def _send(self, connection: Connection, message: Message) -> SendResult:
        try:
            return connection.send(message)
        finally:
            if connection.num_emails >= MAILS_PER_CONNECTION:
                connection.close()
            elif connection.host is not None:
                self._idle.append((self._clock(), connection))

    def _take(self) -> Connection | None:
        with suppress(IndexError):
            while True:
                since, connection = self._idle.pop()
                if self._clock() - since < MAX_IDLE:
                    return connection
                connection.close()  # as are those to its left, which have been idle for longer
        return None

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._smtp.ca_file)
        except OSError as error:
            answer = f"SMTP_CA_FILE {self._smtp.ca_file} holds no certificates that can be read: {error}"
            raise TemporaryError(answer, destination_down=True) from None
