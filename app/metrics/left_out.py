"""Fields of rules that core would refuse, as a figure."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class LeftOut:
    """Counts the fields that were left out of answers. Without labels, so that it is there from zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._fields = Counter(
            "country_config_additions_left_out",
            "Fields that rules.py added to an accepted action, and that were left out because core would refuse them; "
            "the log event addition.left_out names each",
            registry=registry,
        )

    def count(self, fields: int) -> None:
        """One answer, without so many fields."""
        self._fields.inc(fields)
