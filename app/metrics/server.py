"""A small HTTP server beside a worker that runs alone: whoever is not trusted is not even listened to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

import structlog
from werkzeug.wrappers import Request

log = structlog.get_logger()

_PATIENCE = 5.0  # seconds for each piece of a request
_PLACES = 4  # requests at once


@contextmanager
def serving(application: WSGIApplication, host: str, port: int, is_trusted: Callable[[Request], bool]) -> Iterator[int]:
    """Serve from a thread; gives the port, which is another where it was 0. Raises OSError."""
    with _Server(host, port, is_trusted) as server:
        server.set_app(application)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, host: str, port: int, is_trusted: Callable[[Request], bool]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._is_trusted = is_trusted
        self._places = threading.BoundedSemaphore(_PLACES)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without HTTPServer's question to the DNS for a name, which may take long."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]
        self.setup_environ()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002  as socketserver's
        """By the address alone: no thread is spent on others."""
        trusted = self._is_trusted(Request({"REMOTE_ADDR": client_address[0]}))
        if not trusted:
            log.warning("metrics.refused", caller=client_address[0], reason="it is not in TRUSTED_NETWORKS")
        return trusted and self._places.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  as socketserver's
        log.warning("metrics.interrupted", caller=client_address[0], exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = _PATIENCE

    def log_message(self, *_: Any) -> None:
        """Nothing: a scrape is no news."""
