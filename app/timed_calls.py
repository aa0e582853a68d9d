"""Calling a country's functions: never longer than allowed, and never so many that hang that the process is eaten."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class CountryTimeout(Exception):
    """A country's function did not return in time, or too many before it never have."""


class TooManyHang(CountryTimeout):
    """Calls before this one never returned, and no more are begun."""


class TimedCalls:
    """Calls in threads of their own. One that does not return is left behind, and counts until it does."""

    def __init__(self, most_hanging: int) -> None:
        self._most_hanging = most_hanging
        self._hanging = 0
        self._lock = threading.Lock()

    def __call__(self, function: Callable[[], T], timeout: float) -> T:
        """The result. Raises CountryTimeout, TooManyHang, and whatever the function raises.

        What it raises that is no Exception comes as RuntimeError.
        """
        if self._hanging >= self._most_hanging:
            raise TooManyHang(f"{self._hanging} calls before this one never returned: restart, and mend rules.py")
        call = _Call(function)
        threading.Thread(target=self._run, args=(call,), name="rules.py", daemon=True).start()
        try:
            succeeded, result = call.results.get(timeout=timeout)
        except queue.Empty:
            with self._lock:
                if not call.returned:
                    call.counted = True
                    self._hanging += 1
            raise CountryTimeout(f"no answer within {timeout:g} s") from None
        if succeeded:
            return result  # type: ignore[no-any-return]
        if isinstance(result, Exception):
            raise result
        raise RuntimeError(f"a rule raised {type(result).__name__}") from result

    def _run(self, call: _Call) -> None:
        try:
            call.results.put((True, call.function()))
        except BaseException as error:  # noqa: BLE001  it is raised in the caller's thread
            call.results.put((False, error))
        with self._lock:
            call.returned = True
            if call.counted:
                self._hanging -= 1


class _Call:
    def __init__(self, function: Callable[[], Any]) -> None:
        self.function = function
        self.results: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()
        self.returned = False
        self.counted = False
