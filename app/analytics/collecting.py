"""No garbage collection while a batch is read: it would look through hundreds of thousands of objects, time and again,
that refer to each other in no circle and go by themselves. Measured: it takes a fifth of the time.

What does refer to itself, such as the error of a malformed record, stays until the end of the batch, which is bounded.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0


@contextmanager
def without_collecting() -> Iterator[None]:
    """For the whole process; several threads may be inside, and the last one ends it."""
    global _inside  # noqa: PLW0603  the collector is the process's
    with _lock:
        _inside += 1
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                gc.enable()
