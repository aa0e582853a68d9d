"""Asking a country's function for its figures, never for longer than allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.analytics.json_text import Unfit
from app.country import Computed, place_of
from app.records.schema import EventDocument
from app.records.state import states
from app.timed_calls import CountryTimeout, TimedCalls

Figures = Sequence[Mapping[str, Any]]
"""Of one event: figures by their names, for each accepted action in the order of its rows."""

_MOST_HANGING = 4


class Computing:
    """Safe for threads. `timeout` is in seconds, for an event as for many of them."""

    def __init__(self, function: Computed, timeout: float) -> None:
        self.function = function
        self._timeout = timeout
        self._calls = TimedCalls(_MOST_HANGING)

    def figures(self, documents: Sequence[EventDocument]) -> list[Figures | Unfit]:
        """Of each document, or why there are none. Where they take too long together, each is asked for alone."""
        try:
            return self._calls(lambda: [self._of(document) for document in documents], self._timeout)
        except CountryTimeout as timeout:
            if len(documents) == 1:
                return [Unfit(f"the analytics rule: {timeout}: mend rules.py")]
        return [figures for document in documents for figures in self.figures([document])]

    def _of(self, document: EventDocument) -> Figures | Unfit:
        try:
            return [
                _by_name(self.function(action, MappingProxyType(state)))
                for action, state in states(document, create_first=True)
            ]
        except BaseException as error:  # noqa: BLE001  of a rule that ends the process, too
            return Unfit(f"the analytics rule raised {type(error).__name__} at {place_of(error)}: mend rules.py")


def _by_name(computed: Any) -> Mapping[str, Any]:
    if not isinstance(computed, Mapping) or not all(isinstance(name, str) for name in computed):
        raise TypeError("an analytics rule returns figures by name: {'child.age.days': 30}")
    return computed
