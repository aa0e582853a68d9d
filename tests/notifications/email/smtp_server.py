"""A real mail server in the test process, on a free port of the loopback, with the faults that a test asks of it."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from app.settings import Smtp, StartTls

HANG = object()  # no answer, ever
DROP = object()  # the connection is cut instead

Tls = Literal["starttls", "implicit"]
T = TypeVar("T")
MakeMailServer = Callable[..., "MailServer"]


@dataclass(frozen=True)
class Received:
    """One message that was taken, and what it came over."""

    mail_from: str
    rcpt_tos: tuple[str, ...]
    content: bytes
    tls: bool
    smtputf8: bool


class MailServer:
    """Started by `with`. What it was told is in `received`, `commands` (verbs, in order), `connections` and `logins`.

    `answers` and `once` script it. A key is a verb, "BANNER", "354" (the middle of the message), "." (its end) or the
    address of a recipient; a value is the reply, HANG or DROP. A reply of 421 closes the connection.
    """

    def __init__(
        self,
        tls: Tls | None = None,
        certificate: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        extensions: tuple[str, ...] = ("PIPELINING",),
        smtputf8: bool = False,
        max_size: int = 2**20,
    ) -> None:
        self.host = "localhost"
        self.port = 0
        self.tls = tls
        self.certificate = certificate
        self.credentials = credentials
        self.extensions = extensions
        self.smtputf8 = smtputf8
        self.max_size = max_size
        self.answers: dict[str, object] = {}
        self.once: dict[str, object] = {}
        self.received: list[Received] = []
        self.commands: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.connections = 0
        self._open: set[_Protocol] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._listening = self._run(self._listen())
        self.port = self._listening.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def drop_connections(self) -> None:
        """Cut all that are open, as a server does with those that were idle for too long."""
        self._run(self._drop())

    def answer(self, key: str) -> object:
        return self.once.pop(key, None) or self.answers.get(key)

    def settings(self, **changes: Any) -> Smtp:
        """The settings with which this server can be reached; certificates are not trusted without a `ca_file`."""
        smtp = Smtp(
            host=self.host,
            port=self.port,
            implicit_tls=self.tls == "implicit",
            starttls=StartTls.REQUIRE if self.tls == "starttls" else StartTls.NEVER,
            username=self.credentials[0] if self.credentials else None,
            password=self.credentials[1] if self.credentials else None,
            timeout=5.0,
            max_recipients=100,
            ca_file=None,
        )
        return replace(smtp, **changes)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _listen(self) -> asyncio.Server:
        implicit = self.certificate if self.tls == "implicit" else None
        return await self._loop.create_server(self._connected, "127.0.0.1", 0, ssl=implicit)

    def _connected(self) -> _Protocol:
        self.connections += 1
        protocol = _Protocol(self)
        self._open.add(protocol)
        return protocol

    async def _drop(self) -> None:
        for protocol in self._open:
            protocol.cut()
        self._open.clear()

    async def _stop(self) -> None:
        self._listening.close()
        await self._drop()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()


class _Protocol(SMTP):
    """aiosmtpd's server, which asks the script before it answers."""

    def __init__(self, server: MailServer) -> None:
        self._script = server
        super().__init__(
            _Handler(server),
            hostname="mail.test",
            loop=server._loop,
            data_size_limit=server.max_size,
            enable_SMTPUTF8=server.smtputf8,
            tls_context=server.certificate if server.tls == "starttls" else None,
            auth_require_tls=server.tls == "starttls",
            authenticator=self._log_in,
        )
        for verb in ("EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "QUIT"):
            self._smtp_methods[verb] = partial(self._command, verb, self._smtp_methods[verb])

    async def act(self, answer: object) -> str:
        """The reply to send; a connection that is to be cut or to hang does not come back from here."""
        if answer is DROP:
            self.cut()
        if answer in (DROP, HANG):
            await self.loop.create_future()
        if str(answer).startswith("421") and self.transport is not None:
            self.loop.call_soon(self.transport.close)
        return str(answer)

    def cut(self) -> None:
        if self.transport is not None:
            self.transport.abort()  # type: ignore[attr-defined]  # declared as less than it is

    async def _handle_client(self) -> None:
        if banner := self._script.answer("BANNER"):
            await self.push(await self.act(banner))
            self._writer.close()
        else:
            await super()._handle_client()

    async def _command(self, verb: str, method: Callable[[str], Coroutine[Any, Any, None]], argument: str) -> None:
        self._script.commands.append(verb)
        address = argument.partition("<")[2].partition(">")[0] if verb == "RCPT" else ""
        if answer := self._script.answer(verb) or self._script.answer(address):
            await self.push(await self.act(answer))
        elif verb == "DATA" and (answer := self._script.answer("354")):
            await self.push("354 Go on")
            await self._reader.readline()
            await self.act(answer)
        else:
            await method(argument)

    def _log_in(self, _: SMTP, __: Session, ___: Envelope, ____: str, login: Any) -> AuthResult:
        given = (login.login.decode(), login.password.decode())
        self._script.logins.append(given)
        return AuthResult(success=given == self._script.credentials, handled=False)


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, _: SMTP, session: Session, __: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{extension}" for extension in self._server.extensions), responses[-1]]

    async def handle_MAIL(  # noqa: N802
        self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._server.credentials and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_DATA(self, protocol: _Protocol, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if answer := self._server.answer("."):
            return await protocol.act(answer)
        self._server.received.append(
            Received(
                mail_from=str(envelope.mail_from),
                rcpt_tos=tuple(map(str, envelope.rcpt_tos)),
                content=envelope.original_content or b"",
                tls=session.ssl is not None or self._server.tls == "implicit",
                smtputf8=envelope.smtp_utf8,
            )
        )
        return f"250 2.0.0 Ok: queued as {len(self._server.received)}"


@pytest.fixture(scope="session")
def certificate_authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(certificate_authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trusts the certificates of the mail servers here."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    certificate_authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def certificate(certificate_authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate_authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def make_mail_server(certificate: ssl.SSLContext) -> Iterator[MakeMailServer]:
    """Starts a MailServer with the keywords of its class; it stops with the test."""
    with ExitStack() as servers:
        yield lambda **how: servers.enter_context(MailServer(certificate=certificate, **how))


@pytest.fixture
def mail_server(make_mail_server: MakeMailServer) -> MailServer:
    """A mail server without TLS and without login."""
    return make_mail_server()
