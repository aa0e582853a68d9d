"""One metric's children by their label values, at the price of a dict: prometheus_client's own look-up takes a lock."""

from __future__ import annotations

from typing import TypeVar

from prometheus_client.metrics import MetricWrapperBase

M = TypeVar("M", bound=MetricWrapperBase)


class Children(dict[tuple[object, ...], M]):
    """`children["user/2fa", 200]`: made where it is missing, and then in every scrape."""

    def __init__(self, metric: M) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[object, ...]) -> M:
        child = self[labels] = self._metric.labels(*labels)
        return child
