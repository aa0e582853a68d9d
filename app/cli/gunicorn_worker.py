"""gunicorn's worker of threads, with what it leaves out: patience that ends, and errors in JSON."""

from __future__ import annotations

import json
import socket
import struct
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

PATIENCE = 10.0  # seconds without a byte, and in which a request has to come whole
SLOWEST = 10_000  # bytes that win a request one second more: the largest bodies take a while


class SlowHead(Exception):
    """A client did not send the head of its request in time."""


class ClientSocket(socket.socket):
    """A client's connection. To receive from it raises SlowHead, or TimeoutError for a body, where that takes too long.

    Each connection that waits has a thread for itself: without an end to it, four silent clients stop the server.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        # Unlike settimeout, this leaves sending alone.
        seconds, fraction = divmod(PATIENCE, 1)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), int(fraction * 1e6)))
        self.await_head()

    def await_head(self) -> None:
        self._request: Request | None = None
        self._since = time.monotonic()
        self._received = 0
        self.gave_up = False

    def await_body(self, request: Request) -> None:
        """The application reads from here on, and answers a TimeoutError by itself."""
        self._request = request
        self._since = time.monotonic()

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        try:
            received = super().recv(bufsize, flags)
        except BlockingIOError:
            raise self._too_slow() from None
        self._received += len(received)
        # Where gunicorn has set a time-out, for what it throws away before it closes, it looks after it by itself.
        if self.gettimeout() is None and time.monotonic() - self._since > PATIENCE + self._received / SLOWEST:
            raise self._too_slow()
        return received

    def _too_slow(self) -> Exception:
        self.gave_up = True
        if self._request is None:
            return SlowHead()
        self._request.force_close()
        return TimeoutError("the client is too slow")


class Worker(ThreadWorker):
    """What gunicorn runs in each process."""

    def init_process(self) -> None:
        # gunicorn's own writes HTML that quotes the request, and has no hook for another.
        util.write_error = _write_error
        super().init_process()

    def handle(self, conn: TConn) -> bool:
        """One request, in a thread of the pool."""
        client = _client(conn)
        client.await_head()
        goes_on = super().handle(conn)
        if client.gave_up:
            # The main loop waits for the goodbye of those who still listen, and takes nobody meanwhile.
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        return goes_on

    def handle_request(self, req: Request, conn: TConn) -> bool:
        _client(conn).await_body(req)
        return super().handle_request(req, conn)

    def handle_error(self, req: Request | None, client: socket.socket, addr: Any, exc: BaseException) -> None:
        if not isinstance(exc, SlowHead):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("A client did not send its request in time, and was answered 408")
        with suppress(OSError):
            util.write_error(client, HTTPStatus.REQUEST_TIMEOUT, "", "")


def _client(conn: TConn) -> ClientSocket:
    if not isinstance(conn.sock, ClientSocket):
        conn.sock = ClientSocket(conn.sock)
    return conn.sock


def _write_error(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:  # noqa: ARG001  as gunicorn's
    """In the shape of all errors. `mesg` is left out, since it quotes what was sent."""
    phrase = HTTPStatus(status_int).phrase
    body = json.dumps({"error": phrase, "details": []})
    head = (
        f"HTTP/1.1 {status_int} {phrase}",
        "Connection: close",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    util.write_nonblock(sock, "\r\n".join((*head, "", body)).encode("ascii"))
