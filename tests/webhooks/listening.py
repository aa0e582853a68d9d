"""A server on loopback that answers byte by byte as a test wants it to."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

Behave = Callable[["Caller"], None]


class Caller:
    """One connection to a Listener, and whether the test is over."""

    def __init__(self, connection: socket.socket, over: threading.Event) -> None:
        self.connection = connection
        self.over = over

    def request(self) -> bytes:
        """All that comes until the body, of Content-Length, is there."""
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        [length] = [int(line[15:]) for line in head.splitlines() if line.lower().startswith(b"content-length:")]
        while len(body) < length:
            body += self._more()
        return head + b"\r\n\r\n" + body

    def say(self, text: bytes) -> None:
        self.connection.sendall(text)

    def _more(self) -> bytes:
        part = self.connection.recv(65_536)
        if not part:
            raise ConnectionError
        return part


class Listener:
    """Behaves as told to each connection, in a thread of its own. `callers` counts them."""

    def __init__(self, behave: Behave, *, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self._behave = behave
        self._tls = tls
        self._over = threading.Event()
        self._listening = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listening.getsockname()[1]
        self.callers = 0
        self.requests: list[bytes] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                connection, _ = self._listening.accept()
                self.callers += 1
                connection.settimeout(10)
                thread = threading.Thread(target=self._serve, args=[connection])
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._tls is None:
                self._behave(Caller(connection, self._over))
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._behave(Caller(secured, self._over))
