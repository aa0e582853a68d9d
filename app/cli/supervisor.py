"""Several processes that live and end as one: started together, restarted alone, stopped together."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

log = structlog.get_logger()

_LOOK_EVERY = 0.2  # seconds
_LONGEST_STOP = 25.0
_PAUSES = (0.2, 1.0, 5.0, 15.0)  # before the first, second, ... restart in a row
_STEADY_AFTER = 60.0  # a process that ran this long starts its pauses anew
_BAD_START = 10.0  # one that ends by itself this soon after the very first start cannot work at all


class BadStart(Exception):
    """A process ended right after the first start: what it printed says why."""


class _Child:
    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self.restarts = 0
        self._command = command
        self._started_at = 0.0
        self.restart_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._started_at = time.monotonic()
        # Same process group, so that a Ctrl-C and the group's death reach all; see also _die_with_parent.
        die_with_us = partial(_die_with_parent, os.getpid())
        self.process = subprocess.Popen(self._command, preexec_fn=die_with_us)  # noqa: PLW1509, S603

    def look(self) -> None:
        """Start it again where it has ended, after a pause. Raises BadStart."""
        if self.process is None:
            if time.monotonic() >= self.restart_at:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        ran_for = time.monotonic() - self._started_at
        if self.restarts == 0 and status > 0 and ran_for < _BAD_START:
            raise BadStart(f"{self.name} could not start")
        if ran_for > _STEADY_AFTER:
            self.restarts = 0
        pause = _PAUSES[min(self.restarts, len(_PAUSES) - 1)]
        log.error("process.ended", process=self.name, status=status, restart_in=pause)
        self.restarts += 1
        self.process, self.restart_at = None, time.monotonic() + pause


class Supervisor:
    """Runs commands, given by name, until it is told to stop."""

    def __init__(self, commands: Mapping[str, Sequence[str]]) -> None:
        self._children = [_Child(name, command) for name, command in commands.items()]
        self._stopping = threading.Event()

    def run(self) -> None:
        """Return once a signal (INT, TERM) has come and all have ended. Raises BadStart, with all ended too."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stopping.set())
        try:
            for child in self._children:
                child.start()
            while not self._stopping.wait(_LOOK_EVERY):
                for child in self._children:
                    child.look()
        finally:
            self._end_all()

    def _end_all(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        until = time.monotonic() + _LONGEST_STOP
        for process in running:
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("process.killed", pid=process.pid, reason="it did not stop in time")
                process.kill()
                process.wait()


def _die_with_parent(parent: int) -> None:
    """On Linux a child gets SIGTERM when its parent dies, even by kill -9 (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the call
            os._exit(1)
