"""Asking a country's function for its figures, never for longer than allowed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from app.analytics.json_text import Unfit
from app.country.country import Computed
from app.country.loading import place_of
from app.records.schema import EventDocument
from app.records.state import states
from app.timed_calls import CountryTimeout, TimedCalls, TooManyHang

Figures = Sequence[Mapping[str, Any]]
"""Of one event: figures by their names, for each accepted action in the order of its rows."""

_MOST_HANGING = 8
_NOT_BEFORE = 600.0  # seconds
_EACH = 0.05  # seconds that are granted to each of many


class TookTooLong(Unfit):
    """It may be quicker another time."""


class Computing:
    """Safe for threads. `timeout` is in seconds, for one event; many of them together get a little for each."""

    def __init__(self, function: Computed, timeout: float) -> None:
        self.function = function
        self._timeout = timeout
        self._together, self._alone = TimedCalls(_MOST_HANGING), TimedCalls(_MOST_HANGING)
        self._never_ended: dict[tuple[str, str], float] = {}

    def figures(self, documents: Sequence[EventDocument]) -> list[Figures | Unfit]:
        """Of each document, or why there are none. Where they take too long together, each is asked for alone.

        One that has not ended alone is not asked for again before long. Raises TooManyHang.
        """
        since = time.monotonic() - _NOT_BEFORE
        asked = [one for one in documents if self._never_ended.get(_version(one), since) <= since]
        answers = dict(zip(map(id, asked), self._all(asked), strict=True))
        return [answers[id(one)] if id(one) in answers else self._too_long() for one in documents]

    def _all(self, documents: Sequence[EventDocument]) -> list[Figures | Unfit]:
        if len(documents) > 1:
            try:
                return self._together(
                    lambda: [self._of(document) for document in documents], self._timeout + _EACH * len(documents)
                )
            except CountryTimeout:
                pass
        return [self._one(document) for document in documents]

    def _one(self, document: EventDocument) -> Figures | Unfit:
        try:
            return self._alone(lambda: self._of(document), self._timeout)
        except TooManyHang:
            raise
        except CountryTimeout:
            self._never_ended[_version(document)] = time.monotonic()
            return self._too_long()

    def _too_long(self) -> TookTooLong:
        return TookTooLong(f"the analytics rule did not end within {self._timeout:g} s: mend rules.py")

    def _of(self, document: EventDocument) -> Figures | Unfit:
        try:
            return [
                _by_name(self.function(action, MappingProxyType(state)))
                for action, state in states(document, create_first=True)
            ]
        except Unfit as unfit:
            return unfit
        except BaseException as error:  # noqa: BLE001  of a rule that ends the process, too
            return Unfit(f"the analytics rule raised {type(error).__name__} at {place_of(error)}: mend rules.py")


def _version(document: EventDocument) -> tuple[str, str]:
    return document.id, document.updated_at


def _by_name(computed: Any) -> Mapping[str, Any]:
    if not isinstance(computed, Mapping) or not all(isinstance(name, str) for name in computed):
        raise Unfit("the analytics rule returned no figures by name, such as {'child.age.days': 30}: mend rules.py")
    return computed
