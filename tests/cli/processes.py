"""Real processes of the product, for tests that kill them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import requests

LONG_ENOUGH = 120.0
"""Seconds, for what comes within one on a machine that has nothing else to do."""

_CHECKOUT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def wait_for(condition: Callable[[], object], seconds: float = LONG_ENOUGH) -> None:
    """Until the condition holds; fails where it does not within `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{condition} did not come true within {seconds} s"
        time.sleep(0.02)


class Command:
    """`country-config ...` as a process in a group of its own, its output in a file."""

    def __init__(self, arguments: list[str], environ: Mapping[str, str], output: Path) -> None:
        self.output = output
        with output.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *arguments],
                env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **environ},
                cwd=_CHECKOUT,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def kill(self) -> None:
        """kill -9 of the whole group."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LONG_ENOUGH)

    def end(self) -> None:
        """Whatever is left of it. What it said is shown with a test that failed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LONG_ENOUGH)
        sys.stdout.write(self.said)


def answers(port: int, path: str = "/ping") -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}{path}", timeout=10).ok
    except requests.RequestException:
        return False


def kill_family(pid: int) -> list[int]:
    """kill -9 of all that this process has started; returns once they are gone.

    Parents first: one that lives would start others, which answer for a moment when it is gone.
    """
    family = children(pid)
    for member in family:
        with suppress(ProcessLookupError):  # it has gone with its parent
            os.kill(member, signal.SIGKILL)
    wait_for(lambda: not any(is_alive(member) for member in family))
    return family


def is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()  # nobody may be there to reap it
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The processes that this one has started, and theirs; parents before their children."""
    found = []
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = task.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            child = int(task.parent.name)
            found += [child, *children(child)]
    return found
