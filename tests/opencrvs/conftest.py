"""Offices on the test's database, with a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import update

from app.database.engine import Database
from app.database.tables import locations
from app.opencrvs.locations import CoreLocations
from app.opencrvs.offices import Offices
from tests.opencrvs.clock import Clock
from tests.opencrvs.core_events import Core
from tests.opencrvs.places import location_row

Make = Callable[..., Offices]
Wait = Callable[[float], None]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_offices(database: Database, core: Core, clock: Clock) -> Iterator[Make]:
    """Offices of this core, which lists one, on the test's database; each call is another process's."""
    core.locations = [location_row()]
    made: list[Offices] = []

    def make(*, on: Database = database, url: str = core.url, answer: float = 5.0, patience: float = 5.0) -> Offices:
        made.append(Offices(on, CoreLocations(url, timeout=(1.0, answer)), clock=clock, patience=patience))
        return made[-1]

    yield make
    core.end()
    for offices in made:
        offices.close()


@pytest.fixture
def offices(make_offices: Make) -> Offices:
    return make_offices()


@pytest.fixture
def pass_time(database: Database, clock: Clock) -> Wait:
    """Lets the test's clock go on, and what is kept grow older."""

    def pass_time(seconds: float) -> None:
        clock.now += seconds
        with database.transaction() as connection:
            connection.execute(update(locations).values(refreshed_at=locations.c.refreshed_at - seconds))

    return pass_time
