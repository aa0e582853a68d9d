"""`GET /metrics` for Prometheus: read from the database at each scrape, so that all processes count as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Blueprint, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from app.access.gate import Forbidden
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import decisions, deliveries, destinations
from app.decisions.alerts import IS_LATE
from app.outbox.states import State


def routes(database: Database, is_allowed: Callable[[], bool]) -> Blueprint:
    """`is_allowed` is asked inside of each request."""
    metrics = Blueprint("metrics", __name__)

    @metrics.get("/metrics")
    def scrape() -> Response:
        if not is_allowed():
            raise Forbidden("metrics are only shown to the networks in TRUSTED_NETWORKS")
        registry = CollectorRegistry()
        with database.reading() as connection:
            registry.register(_Read(list(_metrics(connection))))
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return metrics


class _Read(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _metrics(connection: Connection) -> Iterable[Metric]:
    owed = GaugeMetricFamily(
        "country_config_deliveries", "Deliveries by channel and state", labels=["channel", "state"]
    )
    by_state = select(deliveries.c.channel, deliveries.c.state, func.count())
    for channel, state, count in connection.execute(by_state.group_by(deliveries.c.channel, deliveries.c.state)):
        owed.add_metric([channel, state], count)
    yield owed
    overdue = connection.scalar(
        select(func.max(now() - deliveries.c.due_at)).where(
            deliveries.c.state == State.QUEUED, deliveries.c.due_at <= now()
        )
    )
    yield GaugeMetricFamily(
        "country_config_overdue_seconds", "For how long the oldest due delivery has been waiting", value=overdue or 0
    )
    up = GaugeMetricFamily("country_config_destination_up", "0 while paused or down", labels=["destination"])
    is_up = destinations.c.paused.is_(False) & func.coalesce(destinations.c.open_until <= now(), True)
    for name, value in connection.execute(select(destinations.c.name, is_up)):
        up.add_metric([name], int(value))
    yield up
    answered = GaugeMetricFamily("country_config_decisions", "Decisions on event actions by state", labels=["state"])
    for state, count in connection.execute(select(decisions.c.state, func.count()).group_by(decisions.c.state)):
        answered.add_metric([state], count)
    yield answered
    late = connection.scalar(select(func.count()).select_from(decisions).where(IS_LATE))
    yield GaugeMetricFamily(
        "country_config_decisions_late",
        "Open decisions past their deadline, near their token's end, or refused",
        value=late or 0,
    )
