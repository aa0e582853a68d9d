"""`GET /metrics`, for networks that are trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, generate_latest
from prometheus_client.registry import Collector

from app.access.gate import Forbidden


def metrics_routes(collectors: Sequence[Collector], is_allowed: Callable[[], bool]) -> Blueprint:
    """All that `collectors` tell. `is_allowed` is asked inside of each request."""
    routes = Blueprint("metrics", __name__)
    everything = _Together(collectors)

    @routes.get("/metrics")
    def scrape() -> Response:
        if not is_allowed():
            raise Forbidden("metrics are only shown to the networks in TRUSTED_NETWORKS")
        return Response(generate_latest(everything), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return routes


class _Together(Collector):
    def __init__(self, collectors: Sequence[Collector]) -> None:
        self._collectors = collectors

    def collect(self) -> Iterable[Metric]:
        for collector in self._collectors:
            yield from collector.collect()
