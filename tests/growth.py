"""Whether the time of a call grows with the size of its input as it should: a ratio in one run, on any machine."""

from __future__ import annotations

import time
from collections.abc import Callable

_SIZES = (500, 4_000, 32_000)
_MOST = 8 * 3  # times from one size to the next: linear is 8, quadratic is 64
_NOISE = 0.001  # seconds; a ratio of shorter times says nothing


def assert_linear(call: Callable[[int], object]) -> None:
    """Fail where the call takes more than three times as long as linear growth allows, from one size to the next."""
    before = _fastest(call, _SIZES[0])
    for size in _SIZES[1:]:
        taken = _fastest(call, size)
        assert taken <= _MOST * max(before, _NOISE), f"{taken / before:.0f} times as long for 8 times the input"
        before = taken


def _fastest(call: Callable[[int], object], size: int) -> float:
    """Return the seconds of the faster of two calls: what else the machine does only adds to them."""
    times = []
    for _ in range(2):
        began = time.perf_counter()
        call(size)
        times.append(time.perf_counter() - began)
        if times[-1] < _NOISE or times[-1] > 1:
            break
    return min(times)
