"""What the event configurations of the country mark for statistics."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import structlog

from app.analytics.marking import Marking, MarkingUnavailable, markings_in
from app.opencrvs.event_configurations import Configurations, ConfigurationsUnavailableError, EventConfigurations

log = structlog.get_logger()


class ConfiguredMarkings:
    """The marks of event configurations, read once for each fetch. Safe for threads."""

    def __init__(self, configurations: EventConfigurations) -> None:
        self._configurations = configurations
        self._lock = threading.Lock()
        self._read: Configurations | None = None
        self._marked: Mapping[str, Marking] = {}

    def __call__(self) -> Mapping[str, Marking]:
        """By event type. Raises MarkingUnavailable where they could never be had."""
        try:
            current = self._configurations.current()
        except ConfigurationsUnavailableError as error:
            raise MarkingUnavailable(f"{error}, so that it is not known what may be kept") from None
        with self._lock:
            if current is not self._read:
                found = markings_in(current.listed)
                _warn(self._marked, found, is_first=self._read is None)
                self._read, self._marked = current, found
            return self._marked


def _warn(before: Mapping[str, Marking], found: Mapping[str, Marking], *, is_first: bool) -> None:
    if gone := _gone(before, found):
        log.warning("event_config.unmarked", marks=gone, advice="EVENT_CONFIG_URL marks them no more: is it right?")
    if is_first and not found:
        log.warning("event_config.marks_nothing", advice="is EVENT_CONFIG_URL right?")


def _gone(before: Mapping[str, Marking], found: Mapping[str, Marking]) -> list[str]:
    """Event types, and the fields of those that are still marked."""
    gone = [event_type for event_type in before if event_type not in found]
    for event_type, marking in found.items():
        if event_type in before:
            known = before[event_type]
            left = {*known.declaration, *known.annotation} - {*marking.declaration, *marking.annotation}
            gone += [f"{event_type}: {field}" for field in left]
    return sorted(gone)
