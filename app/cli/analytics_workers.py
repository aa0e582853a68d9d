"""One process or several that read batches of records and write them."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager

from app import country, logs
from app.analytics.files import Batch
from app.analytics.reindexing import Reindexing, Report
from app.composition.analytics import analytics_of
from app.composition.configurations import event_configurations
from app.settings import Settings

Reports = Callable[[Iterable[Batch]], Iterator[tuple[Batch, Report]]]


@contextmanager
def reports(reindexing: Reindexing, workers: int) -> Iterator[Reports]:
    """Batches become reports, in their order; in other processes where there are several workers."""
    if workers == 1:
        yield lambda unread: ((batch, reindexing.write(batch.items)) for batch in unread)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_start) as pool:
        try:
            yield lambda unread: _in_order(pool, workers, unread)
        except KeyboardInterrupt:  # at once: what they have not committed is not written
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def _in_order(pool: ProcessPoolExecutor, workers: int, unread: Iterable[Batch]) -> Iterator[tuple[Batch, Report]]:
    """No more are under way than are needed to keep everybody busy: the files do not fit into memory."""
    under_way: deque[tuple[Batch, Future[Report]]] = deque()
    for batch in unread:
        with _deaf_children():
            under_way.append((batch, pool.submit(_write, batch.items)))
        if len(under_way) > 2 * workers:
            first, future = under_way.popleft()
            yield first, future.result()
    for first, future in under_way:
        yield first, future.result()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """A process that is started here hears no Ctrl-C, which a terminal sends to all: we hear it, and end the others."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_own: list[Reindexing] = []  # of this process, where it is one of several


def _start() -> None:
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    settings = Settings.from_env()
    logs.configure(settings)
    same = event_configurations(settings, fresh_for=math.inf)
    _own.append(analytics_of(settings, country.load(settings.country_dir), same).reindexing)


def _end_with_parent() -> None:
    """One that is killed ends nobody else, and its processes would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _write(items: list[bytes]) -> Report:
    return _own[0].write(items)
