"""Figures of several processes as one: each writes to files that only it has open, and a scrape adds them all up.

prometheus_client names such files after process numbers, so that each process that ever lived leaves some behind, and
an empty one, of a process that was killed as it began, breaks every scrape. Here a process takes the first place that
is free, and goes on with the figures of the one that died on it: there are never more files than processes at once.
"""

from __future__ import annotations

import fcntl
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import structlog
from prometheus_client import Metric, disable_created_metrics, values
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from app.metrics import directory

log = structlog.get_logger()

# Written out from the start: where a disk is full, to touch a hole in a mapped file ends the process (SIGBUS).
# It is twice what 31 triggers, 8 channels and 40 destinations take with all that can come of them.
_SPACE = 1 << 19
_KINDS = ("counter", "histogram")

# When a process began to count says nothing of all processes.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Place:
    """A number that no other living process of the directory has; a forked child gets one of its own.

    What prometheus_client calls a process identifier: it names the files by it, and asks for it at each figure.
    """

    def __init__(self, shared: Path) -> None:
        self._shared = shared
        self._owner = 0
        self._number = 0
        self._file: int | None = None

    def __call__(self) -> int:
        if os.getpid() != self._owner:
            self._take()
        return self._number

    def _take(self) -> None:
        """Raises OSError."""
        if self._file is not None:  # the parent's, whose lock stays with it
            os.close(self._file)
            self._file = None
        for number in itertools.count():
            file = os.open(self._shared / f"place-{number}", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except (BlockingIOError, PermissionError):
                os.close(file)
                continue
            self._file, self._number = file, number
            for kind in _KINDS:
                _make_room(self._shared / f"{kind}_{number}.db")
            self._owner = os.getpid()
            return


def _make_room(path: Path) -> None:
    """In one move: a scrape of another process may look at any moment."""
    held = path.read_bytes() if path.exists() else b""
    if len(held) < _SPACE:
        draft = path.with_suffix(".draft")
        draft.write_bytes(held.ljust(_SPACE, b"\0"))
        draft.replace(path)


def join() -> None:
    """Count in the directory that this process was given, if any; before the first figure is made.

    Where it cannot be written to, this process counts alone.
    """
    shared = directory.given()
    if shared is None:
        return
    try:
        shared.mkdir(parents=True, exist_ok=True)
        values.ValueClass = values.MultiProcessValue(Place(shared))  # type: ignore[no-untyped-call]
    except OSError as error:
        values.ValueClass = values.MutexValue  # instead of what the variable made prometheus_client choose
        log.error("metrics.not_shared", reason=str(error), advice=f"make {shared} writable, and see to its space")


def of_all_processes(own: Collector) -> Collector:
    """The figures of all processes that count together; `own` where this one counts alone."""
    shared = directory.given() if is_shared() else None
    return own if shared is None else _Sum(shared)


def is_shared() -> bool:
    """Whether this process has joined others."""
    return bool(values.ValueClass._multiprocess)  # noqa: SLF001  it has no public name


class _Sum(Collector):
    def __init__(self, shared: Path) -> None:
        self._shared = shared

    def collect(self) -> Iterable[Metric]:
        # One that has no room yet is being made by a process that has counted nothing.
        files = [str(path) for path in self._shared.glob("*_*.db") if path.stat().st_size > 0]
        return MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call,no-any-return]
