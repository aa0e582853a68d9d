"""Core's places in the tables for statistics."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text, update

from app.analytics.locations import EVERY, Places, keep, parents_first
from app.analytics.store import AnalyticsStore
from app.database.engine import Database
from app.database.tables import chores
from app.opencrvs.locations import AdministrativeArea, CoreLocations, Location
from tests.opencrvs.core_events import Core
from tests.opencrvs.places import LUSAKA, OFFICE, area_row, location_row


def area(number: int, parent: int | None, name: str = "") -> AdministrativeArea:
    parent_id = None if parent is None else str(uuid.UUID(int=parent))
    return AdministrativeArea(str(uuid.UUID(int=number)), name or f"Area {number}", None, parent_id, None)


def office(number: int, area: int | None, kind: str | None = "CRVS_OFFICE") -> Location:
    in_area = None if area is None else str(uuid.UUID(int=area))
    return Location(str(uuid.UUID(int=number)), f"Office {number}", None, in_area, None, kind)


def stored(store: AnalyticsStore, table: str) -> list[tuple[Any, ...]]:
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        rows = connection.execute(text(f"SELECT * FROM {prefix}{table}")).all()  # noqa: S608
    return sorted(tuple(None if value is None else str(value) for value in row) for row in rows)


def test_places_are_kept_parents_before_children(any_store: AnalyticsStore) -> None:
    any_store.layout()
    areas = [area(1, 2), area(2, 3), area(3, None), area(4, 99)]
    keep(any_store, areas, [office(7, 1), office(8, None, kind=None), office(9, 99)])
    keep(any_store, [area(1, 3, "Renamed"), area(5, 1)], [office(7, 5)])
    ids = {number: str(uuid.UUID(int=number)) for number in range(10)}
    assert stored(any_store, "administrative_areas") == [
        (ids[1], "Renamed", None),  # its parent was not listed again
        (ids[2], "Area 2", ids[3]),
        (ids[3], "Area 3", None),
        (ids[4], "Area 4", None),
        (ids[5], "Area 5", ids[1]),
    ]
    assert stored(any_store, "locations") == [
        (ids[7], "Office 7", ids[5], "CRVS_OFFICE"),
        (ids[8], "Office 8", None, ""),
        (ids[9], "Office 9", None, "CRVS_OFFICE"),
    ]


def test_areas_in_a_circle_come_to_an_end() -> None:
    assert {one.name for one in parents_first([area(1, 2), area(2, 1), area(3, 3)])} == {"Area 1", "Area 2", "Area 3"}


@pytest.fixture
def make_places(store: AnalyticsStore, database: Database, core: Core) -> Iterator[Callable[..., Places]]:
    core.locations, core.areas = [location_row()], [area_row()]
    made: list[Places] = []

    def make(*, has_token: bool = True) -> Places:
        made.append(Places(store, CoreLocations(core.url), lambda: "token" if has_token else "", database, None))
        return made[-1]

    yield make
    for places in made:
        places.close()


def test_core_is_asked_once_an_hour_by_whichever_worker(
    make_places: Callable[..., Places], store: AnalyticsStore, database: Database, core: Core
) -> None:
    for _ in range(3):
        places = make_places()
        places.refresh()
        places.close()
    assert stored(store, "locations") == [(OFFICE, "Lusaka Central Office", LUSAKA, "CRVS_OFFICE")]
    assert len(core.queries) == 2
    with database.transaction() as connection:
        connection.execute(update(chores).values(done_at=chores.c.done_at - EVERY))
    places = make_places()
    places.refresh()
    places.close()
    assert len(core.queries) == 4


def test_without_a_token_nobody_is_asked_and_the_hour_is_not_used_up(
    make_places: Callable[..., Places], core: Core
) -> None:
    make_places(has_token=False).refresh()
    assert core.queries == []
    places = make_places()
    places.refresh()
    places.close()
    assert len(core.queries) == 2


def test_a_core_that_lists_nothing_takes_nothing_away(
    make_places: Callable[..., Places], store: AnalyticsStore, core: Core
) -> None:
    places = make_places()
    assert "1 from core" in list(places.take_over())[-1]
    core.locations, core.areas = [], []
    assert "0 from core" in list(places.take_over())[-1]
    assert len(stored(store, "locations")) == 1


def test_a_core_that_refuses_is_said(store: AnalyticsStore, database: Database) -> None:
    places = Places(store, CoreLocations("http://127.0.0.1:1"), lambda: "token", database, None)
    assert "did not list them" in list(places.take_over())[-1]
