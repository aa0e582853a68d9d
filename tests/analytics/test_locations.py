"""Core's places in the tables for statistics."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from app.analytics.core_places import keep, parents_first
from app.analytics.locations import CHORE, EVERY, SOON, Places
from app.analytics.places import InvalidFile, read_file
from app.analytics.store import AnalyticsStore
from app.analytics.tables import LOCK
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import chores
from app.opencrvs.locations import AdministrativeArea, CoreLocations, Location
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.places import LUSAKA, OFFICE, area_row, location_row


def area(number: int, parent: int | None, name: str = "") -> AdministrativeArea:
    parent_id = None if parent is None else str(uuid.UUID(int=parent))
    return AdministrativeArea(str(uuid.UUID(int=number)), name or f"Area {number}", None, parent_id)


def office(number: int, area: int | None, kind: str | None = "CRVS_OFFICE") -> Location:
    in_area = None if area is None else str(uuid.UUID(int=area))
    return Location(str(uuid.UUID(int=number)), f"Office {number}", None, in_area, kind)


def stored(store: AnalyticsStore, table: str) -> list[tuple[Any, ...]]:
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        rows = connection.execute(text(f"SELECT * FROM {prefix}{table}")).all()  # noqa: S608
    return sorted(tuple(None if value is None else str(value) for value in row) for row in rows)


def test_places_are_kept_parents_before_children(any_store: AnalyticsStore) -> None:
    any_store.layout()
    areas = [area(1, 2), area(2, 3), area(3, None), area(4, 99)]
    keep(any_store, areas, [office(7, 1), office(8, None, kind=None), office(9, 99)])
    keep(any_store, [area(1, 3, "Renamed"), area(5, 1)], [office(7, 2)])
    ids = {number: str(uuid.UUID(int=number)) for number in range(10)}
    assert stored(any_store, "administrative_areas") == [
        (ids[1], "Renamed", ids[3]),  # which was not listed again
        (ids[2], "Area 2", ids[3]),
        (ids[3], "Area 3", None),
        (ids[4], "Area 4", None),
        (ids[5], "Area 5", ids[1]),
    ]
    assert stored(any_store, "locations") == [
        (ids[7], "Office 7", ids[2], "CRVS_OFFICE"),
        (ids[8], "Office 8", None, ""),
        (ids[9], "Office 9", None, "CRVS_OFFICE"),
    ]


def test_areas_in_a_circle_come_to_an_end(any_store: AnalyticsStore) -> None:
    circle = [area(1, 2), area(2, 1), area(3, 3), area(4, 1)]
    assert {one.name for one in parents_first(circle)} == {"Area 1", "Area 2", "Area 3", "Area 4"}
    keep(any_store, circle, [])
    ids = {number: str(uuid.UUID(int=number)) for number in range(10)}
    assert stored(any_store, "administrative_areas") == [
        (ids[1], "Area 1", ids[2]),
        (ids[2], "Area 2", None),
        (ids[3], "Area 3", None),
        (ids[4], "Area 4", ids[1]),
    ]


def test_a_circle_through_an_area_that_is_no_longer_listed_is_opened(any_store: AnalyticsStore) -> None:
    keep(any_store, [area(1, None), area(2, 1)], [])
    keep(any_store, [area(1, 2)], [])
    assert [row[2] for row in stored(any_store, "administrative_areas")].count(None) == 1


@pytest.fixture
def make_places(store: AnalyticsStore, database: Database, core: Core) -> Iterator[Callable[..., Places]]:
    core.locations, core.areas = [location_row()], [area_row()]
    made: list[Places] = []

    def make(*, has_token: bool = True, asks: bool = True, directory: Path | None = None) -> Places:
        asked = CoreLocations(core.url) if asks else None
        made.append(Places(store, asked, lambda: "token" if has_token else "", database, directory))
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
    without = make_places(has_token=False)
    without.refresh()
    without.close()
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
    with pytest.raises(InvalidFile, match="did not list them"):
        list(places.take_over())


LEVELS = "id,level,name\nprovince,1,Province\n"
STATISTICS = "name,reference_id,year,crude_birth_rate,male_population,female_population,total_population\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The country's; its second file is of no use."""
    directory = tmp_path / "country"
    (directory / "analytics").mkdir(parents=True)
    (directory / "analytics" / "location_levels.csv").write_text(LEVELS)
    (directory / "analytics" / "location_statistics.csv").write_text(f"{STATISTICS}A,1,2026,1,1,1,99999999999\n")
    return directory


@pytest.mark.parametrize("where", [{"has_token": False}, {"asks": False}])
def test_the_countrys_files_are_taken_over_where_core_cannot_be_asked(
    make_places: Callable[..., Places], store: AnalyticsStore, files: Path, where: dict[str, bool]
) -> None:
    places = make_places(directory=files, **where)
    places.refresh()
    places.close()
    assert stored(store, "location_levels") == [("province", "1", "Province")]


def test_a_bad_file_keeps_nothing_else_from_being_taken_over(
    make_places: Callable[..., Places], store: AnalyticsStore, files: Path
) -> None:
    (files / "analytics" / "location_levels.csv").write_text(LEVELS + "a,1,A\na,1,A\n")
    lines = []
    with pytest.raises(InvalidFile) as raised:
        lines += [*make_places(directory=files).take_over()]
    assert "location_levels.csv: the database refuses it" in str(raised.value)
    assert "total_population is no number that can be kept" in str(raised.value)
    (files / "analytics" / "location_statistics.csv").write_text(f"{STATISTICS}A,1,2026,1,1,1,9\n")
    with pytest.raises(InvalidFile):
        list(make_places(directory=files).take_over())
    assert len(stored(store, "locations")) == len(stored(store, "location_statistics")) == 1
    assert stored(store, "location_levels") == []


PLACE_AND_YEAR = "A,1,2026,1,1,1,9"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (f"{STATISTICS}A,1,2026\n", "line 2: it has not as many cells as the first line"),
        (f"{STATISTICS}{PLACE_AND_YEAR},9\n", "line 2: it has not as many cells as the first line"),
        (f"{STATISTICS}{PLACE_AND_YEAR}\n{PLACE_AND_YEAR}\n", "1 has 2 lines for the year 2026"),
        (f"{STATISTICS}Bafatá,1,2026,1,1,1,9\n".encode("latin-1"), "is not in UTF-8"),
    ],
    ids=["too few cells", "too many cells", "twice", "latin-1"],
)
def test_a_file_that_would_be_misread_is_refused(tmp_path: Path, written: str | bytes, why: str) -> None:
    file = tmp_path / "location_statistics.csv"
    file.write_bytes(written if isinstance(written, bytes) else written.encode())
    with pytest.raises(InvalidFile, match=re.escape(why)):
        read_file(file, "location_statistics")


@pytest.mark.parametrize(
    ("levels", "statistics"),
    [(",1,Province\n", ""), ("a,1,\n", ""), ("", "A,,2026,1,1,1,1\n")],
)
def test_what_the_database_refuses_is_said_of_its_file(
    prepared_url: str,
    make_store: Callable[[str], AnalyticsStore],
    database: Database,
    files: Path,
    levels: str,
    statistics: str,
) -> None:
    (files / "analytics" / "location_levels.csv").write_text(f"id,level,name\n{levels}")
    (files / "analytics" / "location_statistics.csv").write_text(f"{STATISTICS}{statistics}")
    with pytest.raises(InvalidFile, match=r"\.csv: the database refuses it: ") as raised:
        list(Places(make_store(prepared_url), None, lambda: "", database, files).take_over())
    assert ("levels" in str(raised.value)) == bool(levels)


def test_what_failed_does_not_use_up_the_hour(
    make_places: Callable[..., Places], database: Database, core: Core
) -> None:
    core.mood = Mood.AWAY
    places = make_places()
    places.refresh()
    places.close()
    with database.reading() as connection:
        due_in = connection.scalar(select(chores.c.done_at + EVERY - now()).where(chores.c.name == CHORE))
    assert due_in is not None
    assert due_in <= SOON


def test_nobody_writes_while_another_takes_over_places(
    bare_postgresql: str, make_store: Callable[[str], AnalyticsStore], database: Database, files: Path
) -> None:
    store = make_store(bare_postgresql)
    store.layout()
    places = Places(store, None, lambda: "", database, files)
    with store.database.transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        places.refresh()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        until = time.monotonic() + 10
        while not connection.scalar(text(waiting)) and time.monotonic() < until:
            threading.Event().wait(0.01)
        assert connection.scalar(text(waiting)) == 1
    places.close()
    assert stored(store, "location_levels") == [("province", "1", "Province")]
