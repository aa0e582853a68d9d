"""A receiver of webhooks, as a process of its own: `python receiver.py` prints its port and keeps what it gets.

What it answers is in the path: /200/anything, /410/…, /hang/…, /fail-once/…, /later/… (429 with Retry-After). GET
/kept/… lists what came to /…, as JSON. GET /release ends all that hangs now.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_kept: dict[str, list[dict[str, Any]]] = {}
_hanging: list[threading.Event] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept = _kept.setdefault(self.path, [])
        kept.append({"headers": dict(self.headers.items()), "body": body.decode("latin-1")})
        answer = self.path.split("/")[1]
        if answer == "hang":
            over = threading.Event()
            _hanging.append(over)
            over.wait(60)
            return
        if answer == "fail-once":
            answer = "500" if len(kept) == 1 else "200"
        if answer == "later":
            self._say(429, b"", {"Retry-After": "77"})
        elif answer == "moved":
            self._say(302, b"", {"Location": "/200/elsewhere"})
        else:
            self._say(int(answer), b"thank you")

    def do_GET(self) -> None:
        if self.path == "/release":
            for over in _hanging:
                over.set()
        found = _kept.get(self.path.removeprefix("/kept"), [])
        self._say(200, json.dumps(found).encode())

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    server = _Server(("127.0.0.1", 0), _Handler)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
