"""One connection to the mail server: Flask-Mail's, opened and spoken over with the care that it leaves out.

Flask-Mail sets no timeout, verifies no certificate, and forgets who was refused and what was answered.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress

import flask_mail

from app.notifications.email.answers import (
    ConnectionGone,
    Expired,
    PermanentError,
    Refusal,
    Reply,
    SenderRefused,
    SendResult,
    TemporaryError,
    excerpt,
    failure,
    refused,
    sender_failure,
    unreachable,
)
from app.notifications.email.mime import Email, mailbox, serialise
from app.settings import Smtp, StartTls

_PIPELINED = 50  # commands in one write; more, and both sides could wait for the other to read
_GOODBYE = 1.0  # seconds that QUIT may take
_ADDRESS = re.compile(r'[^\x00-\x20\x7f<>()\[\]\\,;:@"]+@[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*')
_TRUSTED = "SMTP_STARTTLS=never if the network in between is trusted"
_LONGEST_ADDRESS = 254  # octets: RFC 5321 section 4.5.3.1.3 without the angle brackets


class Message(flask_mail.Message):
    """Flask-Mail's message, serialised once and by our own rules.

    Its own __init__ is left out: it asks the DNS for the name of this host, and Flask for an application.
    """

    def __init__(self, email: Email, expired: Callable[[], bool], sign: Callable[[bytes], bytes] | None) -> None:
        self.sender = mailbox(email.sender).address
        self.recipients = list(email.to)
        self.cc = []
        self.bcc = list(email.bcc)
        self.envelope = {text: mailbox(text).address for text in (*email.to, *email.bcc)}
        octets = serialise(email)
        self.octets = octets if sign is None else sign(octets)
        self.expired = expired

    def as_bytes(self) -> bytes:
        return self.octets


class Connection(flask_mail.Connection):
    """Opened by the first message. `host` is None before, and after what closes it.

    An exception leaves it closed, or as ready for the next message as a success does.
    """

    def __init__(
        self, mail: flask_mail.Mail, smtp: Smtp, local_hostname: str, tls: Callable[[], ssl.SSLContext]
    ) -> None:
        super().__init__(mail)
        self._smtp = smtp
        self._local_hostname = local_hostname  # smtplib would ask the DNS for it
        self._tls = tls

    def close(self) -> None:
        """Take leave of the server, if it listens."""
        if self.host is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self.host.sock is not None:
                    self.host.sock.settimeout(min(self._smtp.timeout, _GOODBYE))
                self.host.quit()
        self._drop()

    def configure_host(self) -> smtplib.SMTP:
        """A server that has greeted us, over TLS as the settings want it, logged in. Raises TemporaryError."""
        try:
            host = self._connect()
            try:
                self._encrypt(host)
                self._log_in(host)
            except BaseException:
                host.close()
                raise
        except (OSError, ValueError) as error:  # smtplib's and ssl's errors are OSErrors
            raise self._unreachable(error) from None
        return host

    def send(self, message: Message) -> SendResult:  # type: ignore[override]  # Flask-Mail's returns nothing
        """Raises Expired, TemporaryError or PermanentError; recipients that were refused are in the result."""
        if self.host is None:
            self.host = self.configure_host()
        self.num_emails += 1
        try:
            result = self._transfer(self.host, message)
            if not result.accepted:
                self._reset()
        except (Expired, PermanentError):
            self._reset()
            raise
        except TemporaryError as error:
            self._drop() if error.destination_down else self._reset()
            raise
        except OSError as error:
            self._drop()
            raise self._unreachable(error) from None
        except BaseException:
            self._drop()
            raise
        return result

    def _connect(self) -> smtplib.SMTP:
        server, port, timeout = self.mail.server, self.mail.port, self._smtp.timeout
        if not server:
            raise TemporaryError("SMTP_HOST is not set", destination_down=True)
        if self.mail.use_ssl:
            return smtplib.SMTP_SSL(server, port, self._local_hostname, timeout=timeout, context=self._tls())
        return smtplib.SMTP(server, port, self._local_hostname, timeout)

    def _encrypt(self, host: smtplib.SMTP) -> None:
        host.ehlo_or_helo_if_needed()
        if self.mail.use_ssl or self._smtp.starttls is StartTls.NEVER:
            return
        if host.has_extn("starttls"):
            host.starttls(context=self._tls())
            host.ehlo_or_helo_if_needed()
        elif self._smtp.starttls is StartTls.REQUIRE:
            raise TemporaryError(
                f"{self._name} offers no STARTTLS, and SMTP_STARTTLS=require. Set SMTP_SECURE=true if the port "
                f"speaks TLS from the first byte, {_TRUSTED}",
                destination_down=True,
            )

    def _log_in(self, host: smtplib.SMTP) -> None:
        if not (self.mail.username and self.mail.password):
            return
        if self._smtp.starttls is not StartTls.NEVER and not isinstance(host.sock, ssl.SSLSocket):
            raise TemporaryError(
                f"{self._name} offers no encryption, so that SMTP_PASSWORD is not sent. Set {_TRUSTED}",
                destination_down=True,
            )
        host.login(self.mail.username, self.mail.password)

    def _transfer(self, host: smtplib.SMTP, message: Message) -> SendResult:
        if not message.envelope:
            raise PermanentError("the message has no recipient", "")
        refusals = self._unsendable(host, message)
        asked = [address for address in dict.fromkeys(message.envelope.values()) if address not in refusals]
        if asked:
            refusals |= self._offer(host, str(message.sender), asked, len(message.octets))
        written = {text: refusals[address] for text, address in message.envelope.items() if address in refusals}
        accepted = tuple(text for text in message.envelope if text not in written)
        if not accepted:
            return SendResult([*written.values()][-1].reply, written, ())
        if message.expired():
            raise Expired
        return SendResult(self._data(host, message.octets), written, accepted)

    def _unsendable(self, host: smtplib.SMTP, message: Message) -> dict[str, Refusal]:
        """Whom the server need not be asked about. Raises SenderRefused."""
        sender = str(message.sender)
        if why := _why_unsendable(host, sender):
            raise SenderRefused(f"the sender, {sender}, is {why}")
        whys = {address: _why_unsendable(host, address) for address in message.envelope.values()}
        return {address: Refusal(True, why) for address, why in whys.items() if why}

    def _offer(self, host: smtplib.SMTP, sender: str, recipients: list[str], size: int) -> dict[str, Refusal]:
        """MAIL and RCPT; returns who was refused."""
        options = f" SIZE={size}" if host.has_extn("size") else ""
        if not all(map(str.isascii, (sender, *recipients))):
            options += " SMTPUTF8"
        commands = [f"MAIL FROM:<{sender}>{options}", *(f"RCPT TO:<{address}>" for address in recipients)]
        try:
            mail, *answers = _exchange(host, commands)
        except smtplib.SMTPServerDisconnected as error:
            raise ConnectionGone(self._unreachable(error).answer) from None
        if not mail.positive:
            raise sender_failure(mail)
        if unasked := next((answer for answer in answers if not answer.about_recipient), None):
            raise failure("the recipients", unasked)
        return refused(recipients, answers)

    def _data(self, host: smtplib.SMTP, octets: bytes) -> str:
        try:
            reply = Reply(*host.data(octets))
        except smtplib.SMTPDataError as error:  # DATA itself was refused, before any of the message went
            raise failure("the message", Reply(error.smtp_code, error.smtp_error)) from None
        if not reply.positive:
            raise failure("the message", reply)
        return excerpt(str(reply))

    def _reset(self) -> None:
        """Forget the message that did not go out, so that the next one starts clean."""
        try:
            if self.host is None or self.host.rset()[0] != 250:
                self._drop()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self.host is not None:
            self.host.close()
        self.host = None

    @property
    def _name(self) -> str:
        return f"{self.mail.server}:{self.mail.port}"

    def _unreachable(self, error: Exception) -> TemporaryError:
        return unreachable(error, self._name, self._smtp.timeout)


def _exchange(host: smtplib.SMTP, commands: list[str]) -> list[Reply]:
    """The replies, one a command; fewer where the server hung up (421) or refused MAIL, which makes RCPT moot."""
    at_once = _PIPELINED if host.has_extn("pipelining") else 1  # RFC 2920
    replies: list[Reply] = []
    while len(replies) < len(commands):
        batch = commands[len(replies) : len(replies) + at_once]
        host.send("".join(f"{command}\r\n" for command in batch).encode())
        for _ in batch:
            replies.append(Reply(*host.getreply()))
            if replies[-1].goodbye:
                return replies
        if not replies[0].positive:
            return replies
    return replies


def _why_unsendable(host: smtplib.SMTP, address: str) -> str | None:
    if not _ADDRESS.fullmatch(address) or len(address.encode()) > _LONGEST_ADDRESS:
        return "not an address that a mail server takes"
    if not address.isascii() and not host.has_extn("smtputf8"):
        return "an address beyond ASCII, for which the mail server lacks SMTPUTF8 (RFC 6531)"
    return None
