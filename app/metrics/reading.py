"""Reading gauges from a database that may be away, or hang: a scrape ends in time, and says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

import structlog
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.database.engine import Database, DatabaseAway

log = structlog.get_logger()

PATIENCE = 4.0  # seconds: Prometheus itself waits for 10


class DatabaseGauges(Collector):
    """What `read` makes of the database, and whether it could be read. Scrapes at the same time share one reading."""

    def __init__(
        self, database: Database, read: Callable[[Connection], Sequence[Metric]], patience: float = PATIENCE
    ) -> None:
        self._database = database
        self._read = read
        self._patience = patience
        self._lock = threading.Lock()
        self._running: Future[Sequence[Metric]] | None = None

    def collect(self) -> Iterable[Metric]:
        try:
            found, problem = self._reading().result(self._patience), None
        except TimeoutError:
            found, problem = (), f"no answer within {self._patience:g} s"
        except (DatabaseAway, SQLAlchemyError) as error:
            found, problem = (), str(error)
        if problem is not None:
            log.error("metrics.database_away", reason=problem)
        yield GaugeMetricFamily(
            "country_config_database_up",
            "1 where the database was read for this scrape; at 0 the figures that come from it are missing",
            value=int(problem is None),
        )
        yield from found

    def _reading(self) -> Future[Sequence[Metric]]:
        """The one under way, or a new one: where the database hangs, there is never more than one that waits for it."""
        with self._lock:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._run, args=(self._running,), name="gauges", daemon=True).start()
            return self._running

    def _run(self, reading: Future[Sequence[Metric]]) -> None:
        try:
            with self._database.reading() as connection:
                found = self._read(connection)
        except BaseException as error:  # noqa: BLE001  it is raised in the scrape's thread
            reading.set_exception(error)
        else:
            reading.set_result(found)
