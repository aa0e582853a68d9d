"""Connections to addresses that are checked, and cut off when time is up."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import cache, partial
from typing import Any, Self

from requests import PreparedRequest, Timeout
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.webhooks.addresses import Address, AllowedAddresses, Unresolved

# It warns of headers that it cannot read, with the URL, which may hold a key, and with what the receiver sent.
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)

_MOST_TRIED = 4  # addresses of one host, which share the time


class NoAnswer(Exception):
    """The receiver cannot be reached, or did not answer in time: it may have got the request. Quotes no URL."""


class Guard:
    """Makes the connections of one request, each to an address that is checked, and cuts them off after `seconds`.

    A connection is there within `connect_seconds`, where they are given, or is given up.
    """

    def __init__(self, allowed: AllowedAddresses, seconds: float, connect_seconds: float | None = None) -> None:
        self._allowed = allowed
        self._connect_seconds = seconds if connect_seconds is None else connect_seconds
        self._until = time.monotonic() + seconds
        self._was_cut = False
        self._watches = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._watches.close()

    @property
    def is_over(self) -> bool:
        return self._was_cut or self._left <= 0

    def no_answer(self, error: BaseException | None = None) -> NoAnswer:
        """Why there is none, in a few words."""
        return NoAnswer("no answer in time" if self.is_over or error is None else _reason(error))

    def connect(self, host: str, port: int, options: Sequence[tuple[Any, ...]]) -> socket.socket:
        """To an address of the host, which is resolved here and nowhere else. Raises ForbiddenUrl and NoAnswer."""
        until = min(self._until, time.monotonic() + self._connect_seconds)
        try:
            addresses = self._allowed.addresses(host, until - time.monotonic())[:_MOST_TRIED]
        except Unresolved:
            raise NoAnswer("its host does not resolve") from None
        error: OSError | None = None
        for number, address in enumerate(addresses):
            try:
                connected = _connected(address, port, (until - time.monotonic()) / (len(addresses) - number), options)
            except OSError as last:
                error = last
                continue
            self._watch(connected)
            return connected
        raise self.no_answer(error)

    @property
    def _left(self) -> float:
        return self._until - time.monotonic()

    def _watch(self, connected: socket.socket) -> None:
        # A duplicate ends the connection whatever it waits for, and stays ours when TLS takes the socket over.
        lever = self._watches.enter_context(connected.dup())
        connected.settimeout(max(self._left, 0.001))
        timer = threading.Timer(self._left, self._cut, [lever])
        timer.daemon = True
        timer.start()
        self._watches.callback(timer.join)  # so that the lever's number is not another's yet when it is pulled
        self._watches.callback(timer.cancel)

    def _cut(self, lever: socket.socket) -> None:
        self._was_cut = True
        with suppress(OSError):  # it ended by itself
            lever.shutdown(socket.SHUT_RDWR)


class GuardedAdapter(HTTPAdapter):
    """Has requests connect through a guard. Trusts the authorities in `ca_file`, or those of requests."""

    def __init__(self, guard: Guard, ca_file: str | None = None) -> None:
        self._guard = guard
        self._ca_file = ca_file
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=_tls(self._ca_file or DEFAULT_CA_BUNDLE_PATH))

    def cert_verify(self, *_: Any) -> None:
        """The context has the authorities already, and reading them takes longer than a request."""

    def get_connection_with_tls_context(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(request, *args, **kwargs)
        connection = _TlsConnection if pool.scheme == "https" else _Connection
        pool.ConnectionCls = partial(connection, guard=self._guard)
        return pool


class _Connection(HTTPConnection):
    def __init__(self, *args: Any, guard: Guard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        return self._guard.connect(self.host, self.port, self.socket_options or ())


class _TlsConnection(_Connection, HTTPSConnection):
    """The certificate is checked against the host's name, as ever."""


@cache
def _tls(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file)


def _connected(address: Address, port: int, seconds: float, options: Sequence[tuple[Any, ...]]) -> socket.socket:
    connecting = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    try:
        for option in options:
            connecting.setsockopt(*option)
        connecting.settimeout(max(seconds, 0.001))
        connecting.connect((str(address), port))
    except OSError:
        connecting.close()
        raise
    return connecting


def _reason(error: BaseException) -> str:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused: {cause.verify_message.partition(',')[0]}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason}"
    for cause in causes:
        if isinstance(cause, TimeoutError | Timeout):
            return "no answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
    return type(causes[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it was raised from or made of."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        cause = waiting.pop(0)
        if cause not in seen:
            seen.append(cause)
            yield cause
            made_of = (cause.__cause__, cause.__context__, *cause.args)
            waiting += [one for one in made_of if isinstance(one, BaseException)]
