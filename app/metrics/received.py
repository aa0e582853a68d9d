"""What comes in, as figures: triggers by what they were answered, and the answers to core about event actions."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Histogram

from app.metrics.children import Children

UNKNOWN = "unknown"

_ANSWERS = {200: "accepted", 202: "deferred", 400: "rejected"}  # what a status says to core about an action
_FROM_ZERO = (200, 400, 500, 503)  # shown before the first, so that the first is an increase
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Received:
    """Counts what is answered. `triggers` and `actions` are all the names that will be counted."""

    def __init__(self, registry: CollectorRegistry, triggers: Collection[str], actions: Collection[str]) -> None:
        self._answered = Children(
            Counter(
                "country_config_triggers",
                "Triggers by the HTTP status of the answer; those that nobody declared are together as unknown",
                ["trigger", "status"],
                registry=registry,
            )
        )
        self._took = Children(
            Histogram(
                "country_config_trigger_duration_seconds",
                "Time from a trigger's arrival to its answer",
                ["trigger"],
                registry=registry,
                buckets=_BUCKETS,
            )
        )
        self._decided = Children(
            Counter(
                "country_config_decisions",
                "Answers to core about event actions; a question that is asked again is counted again",
                ["action", "answer"],
                registry=registry,
            )
        )
        for trigger in triggers:
            for status in _FROM_ZERO:
                self._answered[trigger, status].inc(0)
        for action in actions:
            for answer in _ANSWERS.values():
                self._decided[action, answer].inc(0)

    def count(self, trigger: str, action: str | None, status: int, seconds: float) -> None:
        """One answer; `action` is what core asked about, where it did."""
        self._answered[trigger, status].inc()
        self._took[trigger,].observe(seconds)
        if action is not None and status in _ANSWERS:
            self._decided[action, _ANSWERS[status]].inc()
