"""What comes of handing a message to the mail server. No text in it holds an address in clear."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from app.masking import mask

_KEPT = 300  # characters of an answer
_READ = 1000  # characters that masking looks at
_NOT_LOGGED_IN = frozenset({530, 534, 535, 538})  # RFC 4954 section 6, RFC 3207 section 4


class Expired(Exception):
    """The message must not go out any more; nothing of it has."""


class TemporaryError(Exception):
    """It did not go out and may later. `destination_down`: no other message would go out now either."""

    def __init__(self, answer: str, destination_down: bool) -> None:
        self.answer = excerpt(answer)
        self.destination_down = destination_down
        super().__init__(self.answer)


class ConnectionGone(TemporaryError):
    """The server ended the connection without taking the message: on a new one it may be offered again."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer, destination_down=True)


class SenderRefused(TemporaryError):
    """The server will have nothing from this sender: no mail that says so gets out until it is mended."""

    def __init__(self, answer: str) -> None:
        super().__init__(f"{answer}. See SENDER_EMAIL_ADDRESS", destination_down=True)


class PermanentError(Exception):
    """It will never be taken like this. `reason` says so in words, `answer` is what the server said."""

    def __init__(self, reason: str, answer: str) -> None:
        self.reason = excerpt(reason)
        self.answer = excerpt(answer)
        super().__init__(self.reason)


@dataclass(frozen=True)
class Refusal:
    """One recipient was not taken. `reply` is the server's, or why it was not even asked."""

    permanent: bool
    reply: str


@dataclass(frozen=True)
class SendResult:
    """Every recipient, written as in the e-mail, is in one of `accepted` and `refused`.

    Where none was accepted nothing went out, and `reply` is that of a refusal.
    """

    reply: str
    refused: Mapping[str, Refusal]
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class Reply:
    """One answer of the server: RFC 5321 section 4.2. `code` is -1 where what came is not SMTP."""

    code: int
    text: bytes | str

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def goodbye(self) -> bool:
        """The server ends the connection with this."""
        return self.code == 421

    @property
    def wants_login(self) -> bool:
        return self.code in _NOT_LOGGED_IN

    @property
    def about_recipient(self) -> bool:
        """Given to RCPT, it says something of that recipient, not of us or of a server out of its mind."""
        return self.positive or (self.code >= 400 and not self.wants_login)

    @property
    def permanent(self) -> bool:
        # Old servers say 552 for "too many recipients", which is temporary: RFC 5321 section 4.5.3.1.10.
        return self.code >= 500 and not (self.code == 552 and "too many" in str(self).lower())

    def __str__(self) -> str:
        text = self.text if isinstance(self.text, str) else self.text.decode("utf-8", "replace")
        return f"{self.code} {text}"


def refused(recipients: list[str], answers: list[Reply]) -> dict[str, Refusal]:
    """Who was refused, by address.

    A server that has heard enough wrong addresses hangs up with 421. Nobody got the message then, yet those
    addresses are known to be wrong: without them the others can be tried again, and get further.
    """
    known = {
        address: _refusal(address, answer)
        for address, answer in zip(recipients, answers, strict=False)
        if not answer.positive
    }
    last = answers[-1]
    if last.goodbye:
        if not any(one.permanent for one in known.values()):
            raise failure("the recipients", last)
        known |= {address: _refusal(address, last) for address in recipients if address not in known}
    return known


def failure(what: str, reply: Reply) -> TemporaryError | PermanentError:
    """The error that a reply to MAIL or DATA amounts to; `what` was refused."""
    if reply.goodbye:
        return ConnectionGone(f"the mail server ends the connection: {reply}")
    if reply.wants_login:
        mend = "Set SMTP_USERNAME and SMTP_PASSWORD, or SMTP_STARTTLS"
        return TemporaryError(f"the mail server wants a login or TLS first: {reply}. {mend}", destination_down=True)
    if reply.permanent:
        return PermanentError(f"the mail server refused {what}: {reply}", str(reply))
    answer = f"the mail server does not take {what} now: {reply}"
    return TemporaryError(answer, destination_down=reply.code < 400)


def sender_failure(reply: Reply) -> TemporaryError | PermanentError:
    """The error that a reply to MAIL amounts to. 552 says that the message is too large: RFC 1870 section 6.2."""
    if reply.permanent and not reply.wants_login and reply.code != 552:
        return SenderRefused(f"the mail server refused the sender address: {reply}")
    return failure("the sender address" if reply.code != 552 else "the message", reply)


def unreachable(error: Exception, server: str, timeout: float) -> TemporaryError:
    """What an operator has to read of an error below SMTP, or of a connection that did not come about."""
    timed_out = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    match error:
        case ssl.SSLCertVerificationError():
            mend = "Set SMTP_CA_FILE to the authority that signed it, or SMTP_HOST to a name that it holds"
            answer = f"the certificate of {server} is not trusted: {error.verify_message}. {mend}"
        case _ if timed_out:
            answer = f"{server} does not answer within {timeout:g} s"
        case ssl.SSLError():
            mend = "SMTP_SECURE=true is for ports that speak TLS from the first byte (465), not for STARTTLS (587)"
            answer = f"no TLS with {server}: {error.reason}. {mend}"
        case socket.gaierror():
            answer = f"SMTP_HOST of {server} is not found: {error.strerror}"
        case smtplib.SMTPAuthenticationError():
            reply = Reply(error.smtp_code, error.smtp_error)
            answer = f"{server} refuses SMTP_USERNAME and SMTP_PASSWORD: {reply}"
        case smtplib.SMTPNotSupportedError():
            answer = (
                f"{server} offers no login. Take SMTP_USERNAME and SMTP_PASSWORD out, or use its submission port (587)"
            )
        case smtplib.SMTPResponseException():
            answer = f"{server} takes no mail now: {Reply(error.smtp_code, error.smtp_error)}"
        case UnicodeEncodeError():
            answer = "SMTP_USERNAME and SMTP_PASSWORD can only be ASCII"
        case _:
            answer = f"{server}: {error}"
    return TemporaryError(answer, destination_down=True)


def excerpt(text: str) -> str:
    """One line, masked, of at most 300 characters."""
    return mask(_plain(text))[:_KEPT]


def _plain(text: str) -> str:
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    if len(line) <= _READ:
        return line
    return line[:_READ].rpartition(" ")[0]  # half an address would not be recognised as one


def _refusal(address: str, reply: Reply) -> Refusal:
    """How one recipient was refused. Servers often repeat the part before the @ alone: it is masked too."""
    text = mask(_plain(str(reply)))
    local = address.rpartition("@")[0]
    if len(local) > 3:
        text = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "***", text, flags=re.IGNORECASE)
    return Refusal(reply.permanent, text[:_KEPT])
