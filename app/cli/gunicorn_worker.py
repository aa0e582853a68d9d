"""gunicorn's worker of threads, with what it leaves out: connections that hold no thread, and errors in JSON.

The main loop reads each request until it is whole, so that a client that sends nothing, or a byte now and then, costs a
little memory and no thread. Large bodies and bodies of unknown length are read by a thread, and never by all of them.
"""

from __future__ import annotations

import errno
import json
import selectors
import socket
import struct
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

from gunicorn import util
from gunicorn.http import Request, RequestParser
from gunicorn.workers.gthread import TConn, ThreadWorker

from app.cli.incoming_request import IncomingRequest, Progress

PATIENCE = 10.0  # seconds without a byte, and in which a request has to come whole
SLOWEST = 10_000  # bytes that win a request one second more: the largest bodies take a while
MAX_READING_PER_ADDRESS = 100  # connections whose requests are not whole; core's come whole within milliseconds
MAX_STREAMED_PER_ADDRESS = 16  # connections with a body for a thread to read; core sends one at a time
MAX_BUFFERED = 64 * 1024 * 1024  # bytes of all requests that are not whole, in a process
THREADS_FOR_OTHERS = 2  # that are never spent on a body which is still to come

_RECEIVE = 65_536
_NO_CONNECTION = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)


class SlowHead(Exception):
    """A client did not send the head of its request in time."""


class ClientSocket(socket.socket):
    """A client's connection, with the part of its request that the main loop has read.

    To receive from it raises SlowHead, or TimeoutError for a body, where that takes too long.
    """

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        # Unlike settimeout, this leaves sending alone.
        seconds, fraction = divmod(PATIENCE, 1)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), int(fraction * 1e6)))
        self.incoming = IncomingRequest()
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

    def receive_early(self) -> Progress | None:
        """Read what is there without waiting, and return how far the request is; None where the client has gone."""
        data = super().recv(_RECEIVE)
        if not data:
            return None
        self._received += len(data)
        return self.incoming.feed(data)

    @property
    def is_overdue(self) -> bool:
        """Whether the request should have been whole by now."""
        return time.monotonic() - self._since > PATIENCE + self._received / SLOWEST

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        early = self.incoming.received
        if early and not flags:
            data = bytes(early[:bufsize])
            del early[:bufsize]
            return data
        try:
            received = super().recv(bufsize, flags)
        except BlockingIOError:
            raise self._too_slow() from None
        self._received += len(received)
        # Where gunicorn has set a time-out, for what it throws away before it closes, it looks after it by itself.
        if self.gettimeout() is None and self.is_overdue:
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
        self._reading: dict[TConn, str] = {}  # connections whose request is not whole, with their addresses
        self._buffered = 0
        self._waiting: deque[TConn] = deque()  # with a body to be read by a thread, when one is free for it
        self._streaming: set[TConn] = set()
        super().init_process()

    # The main loop: nothing here may wait.

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its request without a thread."""
        try:
            accepted, address = listener.accept()
        except OSError as error:
            if error.errno not in _NO_CONNECTION:
                raise
            return
        self._make_room_for(_host(address))
        self.nr_conns += 1
        conn = TConn(self.cfg, accepted, address, listener.getsockname())
        conn.sock = ClientSocket(conn.sock)
        conn.sock.setblocking(False)
        self._read(conn)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """The next request on a connection that was kept begins to come."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        _client(conn).await_head()
        self._read(conn)
        self._on_readable(conn, client)

    def _read(self, conn: TConn) -> None:
        self._reading[conn] = _host(conn.client)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_readable, conn))

    def _on_readable(self, conn: TConn, _socket: socket.socket) -> None:
        client = _client(conn)
        before = len(client.incoming.received)
        try:
            progress = client.receive_early()
        except BlockingIOError:
            return
        except OSError:
            progress = None
        self._buffered += len(client.incoming.received) - before
        if progress is Progress.INCOMPLETE and self._buffered <= MAX_BUFFERED:
            return
        self._stop_reading(conn)
        if progress is None:
            self._end(conn)
        elif progress is Progress.INCOMPLETE:
            self._end(conn, HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._dispatch(conn, progress)

    def _dispatch(self, conn: TConn, progress: Progress) -> None:
        conn.data_ready = True
        if progress is Progress.COMPLETE:
            self.enqueue_req(conn)
            return
        of_host = [waiting for waiting in self._waiting if _host(waiting.client) == _host(conn.client)]
        if len(of_host) >= MAX_STREAMED_PER_ADDRESS:
            self._waiting.remove(of_host[0])
            self._end(of_host[0], HTTPStatus.SERVICE_UNAVAILABLE)
        self._waiting.append(conn)
        self._stream_next()

    def _stream_next(self) -> None:
        while self._waiting and len(self._streaming) < max(1, self.cfg.threads - THREADS_FOR_OTHERS):
            conn = self._waiting.popleft()
            self._streaming.add(conn)
            _client(conn).await_head()  # for which it had no thread until now
            self.enqueue_req(conn)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        """A thread is done with a request."""
        self._streaming.discard(conn)
        self._stream_next()
        goes_on = not fs.cancelled() and fs.exception() is None and fs.result() is True
        if goes_on and isinstance(conn.parser, RequestParser):
            client = _client(conn)
            leftover = conn.parser.unreader.take_buffered() + client.incoming.received
            client.incoming = IncomingRequest()
            if leftover:  # the next request is on its way already
                self._read_on(conn, leftover)
                return
        super().finish_request(conn, fs)

    def _read_on(self, conn: TConn, leftover: bytes) -> None:
        client = _client(conn)
        client.setblocking(False)
        client.await_head()
        progress = client.incoming.feed(leftover)
        if progress is not Progress.INCOMPLETE:
            self._dispatch(conn, progress)
            return
        self._buffered += len(leftover)
        self._read(conn)

    def murder_pending(self) -> None:
        """End connections whose requests did not come in time; gunicorn's own waits for silent ones in a thread."""
        for conn in [conn for conn in self._reading if _client(conn).is_overdue]:
            self._stop_reading(conn)
            if _client(conn).incoming.received:
                self.log.warning("A client did not send its request in time, and was answered 408")
                self._end(conn, HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._end(conn)

    def _end(self, conn: TConn, status: HTTPStatus | None = None) -> None:
        if status is not None:
            with suppress(OSError):
                util.write_error(conn.sock, status, "", "")
                conn.sock.shutdown(socket.SHUT_RDWR)
        self.nr_conns -= 1
        conn.close()

    def _stop_reading(self, conn: TConn) -> None:
        del self._reading[conn]
        self._buffered -= len(_client(conn).incoming.received)
        self.poller.unregister(conn.sock)

    def _make_room_for(self, host: str) -> None:
        """End the oldest of too many connections of an address: an honest request is whole within milliseconds."""
        if len(self._reading) < MAX_READING_PER_ADDRESS:
            return
        of_host = [conn for conn, reading in self._reading.items() if reading == host]
        if len(of_host) >= MAX_READING_PER_ADDRESS:
            self._stop_reading(of_host[0])
            self._end(of_host[0], HTTPStatus.SERVICE_UNAVAILABLE)

    # The threads of the pool.

    def handle(self, conn: TConn) -> bool:
        """One request, in a thread of the pool."""
        client = _client(conn)
        goes_on: bool = super().handle(conn)
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


def _host(address: Any) -> str:
    """Of a client's address; "" on a socket of the file system."""
    return str(address[0]) if isinstance(address, tuple) else ""


def _client(conn: TConn) -> ClientSocket:
    assert isinstance(conn.sock, ClientSocket)  # noqa: S101  `accept` has made it one
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
