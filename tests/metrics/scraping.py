"""Reading what Prometheus reads."""

from __future__ import annotations

import re

from prometheus_client import generate_latest
from prometheus_client.registry import Collector

_SERIES = re.compile(r"(?P<name>\w+)(\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


class Figures(dict[tuple[str, frozenset[tuple[str, str]]], float]):
    """A scrape by names and labels."""

    def of(self, name: str, **labels: str) -> float | None:
        """One figure; None where there is none with exactly these labels. What starts with country_config_ may say so
        without it.
        """
        return self.get((f"country_config_{name}", frozenset(labels.items())))

    def total(self, name: str) -> float:
        """The sum over all labels."""
        return sum(value for (found, _), value in self.items() if found == f"country_config_{name}")

    def names(self) -> set[str]:
        return {name for name, _ in self}

    def values_of(self, label: str) -> set[str]:
        """All values that the label has anywhere."""
        return {value for _, labels in self for name, value in labels if name == label}


def parsed(text: str) -> Figures:
    figures = Figures()
    for line in text.splitlines():
        if line and not line.startswith("#"):
            series = _SERIES.fullmatch(line)
            assert series is not None, line
            labels = frozenset(_LABEL.findall(series["labels"] or ""))
            assert (series["name"], labels) not in figures, f"twice: {line}"
            figures[series["name"], labels] = float(series["value"])
    return figures


def collected(collector: Collector) -> Figures:
    return parsed(generate_latest(collector).decode())
