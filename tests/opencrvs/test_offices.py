"""Offices by the ids that core gives, kept in both databases and refreshed from a core over real HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from app.database.engine import Database
from app.database.tables import locations
from app.opencrvs.locations import CoreLocations
from app.opencrvs.offices import ASK_AGAIN_AFTER, FRESH_FOR, LOOK_AGAIN_AFTER, Office, Offices
from tests.cli.processes import wait_for
from tests.opencrvs.clock import Clock
from tests.opencrvs.conftest import Make, Wait
from tests.opencrvs.core_events import Core, Mood
from tests.opencrvs.pending import TOKEN
from tests.opencrvs.places import LUSAKA_CENTRAL, NEW_OFFICE, OFFICE, location_row, many, new_location_row

MARGIN = 10.0  # seconds that a slow machine may take between two lines of a test


def test_an_office_is_there_before_its_first_use(core: Core, offices: Offices) -> None:
    assert offices.find(OFFICE) is None
    assert core.asked == 0
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL
    assert core.queries[0].authorization == f"Bearer {TOKEN}"


def test_what_is_kept_is_kept_for_an_hour(core: Core, offices: Offices, pass_time: Wait) -> None:
    offices.fill(TOKEN)
    for _ in range(3):
        pass_time((FRESH_FOR - MARGIN) / 3)
        offices.fill(TOKEN, OFFICE)
    offices.close()
    assert core.asked == 1


def test_after_an_hour_it_is_refreshed(core: Core, offices: Offices, pass_time: Wait) -> None:
    offices.fill(TOKEN)
    core.locations = [location_row(name="Lusaka Main Office", externalId=None)]
    pass_time(FRESH_FOR)
    offices.fill(TOKEN, OFFICE)
    offices.close()
    assert offices.find(OFFICE) == Office(OFFICE, "Lusaka Main Office", "")
    assert core.asked == 2


def test_a_refresh_is_not_waited_for(core: Core, make_offices: Make, pass_time: Wait) -> None:
    offices = make_offices(answer=30.0, patience=30.0)
    offices.fill(TOKEN)
    core.mood = Mood.SLOW
    pass_time(FRESH_FOR)
    with capture_logs() as logs:
        for _ in range(3):
            offices.fill(TOKEN, OFFICE)
        assert offices.find(OFFICE) == LUSAKA_CENTRAL
        wait_for(lambda: core.asked == 2)
        assert logs == []  # core has not answered yet
        core.end()
        offices.close()
    assert [line["event"] for line in logs] == ["locations.unavailable"]
    assert core.asked == 2


def test_a_new_office_is_looked_for_after_some_minutes(core: Core, offices: Offices, pass_time: Wait) -> None:
    offices.fill(TOKEN)
    core.locations.append(location_row(id=NEW_OFFICE, name="Kafue Office"))
    pass_time(LOOK_AGAIN_AFTER - MARGIN)
    offices.fill(TOKEN, NEW_OFFICE)
    assert (core.asked, offices.find(NEW_OFFICE)) == (1, None)
    pass_time(MARGIN)
    offices.fill(TOKEN, OFFICE)
    assert core.asked == 1
    offices.fill(TOKEN, NEW_OFFICE)
    assert offices.find(NEW_OFFICE) == Office(NEW_OFFICE, "Kafue Office", "LSK-01")
    assert core.asked == 2


def test_what_core_no_longer_lists_stays(core: Core, offices: Offices, pass_time: Wait) -> None:
    offices.fill(TOKEN)
    core.locations = [location_row(id=NEW_OFFICE, name="Kafue Office")]
    pass_time(FRESH_FOR)
    offices.fill(TOKEN)
    offices.close()
    assert offices.find(NEW_OFFICE) is not None
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


def test_another_process_asks_no_core(core: Core, make_offices: Make, database: Database) -> None:
    make_offices().fill(TOKEN)
    restarted = make_offices()
    restarted.fill(TOKEN, OFFICE)
    assert restarted.find(OFFICE) == LUSAKA_CENTRAL
    assert core.asked == 1


def test_without_a_core_there_is_what_is_kept(offices: Offices, database: Database) -> None:
    coreless = Offices(database, None)
    coreless.fill(TOKEN, OFFICE)
    assert coreless.find(OFFICE) is None
    offices.fill(TOKEN)
    assert coreless.find(OFFICE) == LUSAKA_CENTRAL
    coreless.close()


def test_without_a_token_core_is_not_asked(core: Core, offices: Offices) -> None:
    offices.fill("", OFFICE)
    assert core.asked == 0
    offices.fill(TOKEN, OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL


def test_an_id_is_found_in_any_letter_case(core: Core, offices: Offices) -> None:
    core.locations = [location_row(id=OFFICE.upper())]
    offices.fill(TOKEN)
    assert offices.find(OFFICE) == offices.find(OFFICE.upper()) == LUSAKA_CENTRAL


@pytest.mark.parametrize("location_id", ["", "\0", "\ud800", "x" * 10_000])
def test_an_id_that_is_none_finds_nothing(offices: Offices, location_id: str) -> None:
    offices.fill(TOKEN, location_id)
    assert offices.find(location_id) is None


def test_names_that_no_database_holds_are_kept_clean(core: Core, offices: Offices) -> None:
    core.locations = [location_row(name="Lu\0saka \ud800", externalId="L\0", administrativeAreaId="\ud800")]
    offices.fill(TOKEN)
    assert offices.find(OFFICE) == Office(OFFICE, "Lusaka \ufffd", "L")


def test_one_location_that_is_listed_twice_is_kept_once(core: Core, offices: Offices, database: Database) -> None:
    core.locations = [location_row(), location_row()]
    offices.fill(TOKEN)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(locations)) == 1


def test_twenty_thousand_locations_are_there_for_the_first_message(core: Core, offices: Offices) -> None:
    core.locations = many(20_000)
    offices.fill(TOKEN)
    assert offices.find(core.locations[-1]["id"]) == Office(core.locations[-1]["id"], "Health Post 19999", "LSK-01")


@pytest.mark.parametrize(
    ("on", "name", "code"),
    [
        (None, "Lusaka Main Office", "LSK-02"),
        ("1999-01-01", "Lusaka Central Office", "LSK-01"),
        ("2026-05-31", "Lusaka Central Office", "LSK-01"),
        ("2026-06-01", "Lusaka Main Office", "LSK-02"),
        ("2030-01-01", "Lusaka Main Office", "LSK-02"),
    ],
)
def test_a_renamed_office_has_the_name_and_code_of_the_date(
    core: Core, offices: Offices, on: str | None, name: str, code: str
) -> None:
    core.locations = [new_location_row()]
    offices.fill(TOKEN)
    assert offices.find(OFFICE, on) == Office(OFFICE, name, code)


def test_a_closed_office_is_known_as_closed(core: Core, offices: Offices) -> None:
    core.locations = [new_location_row(status="inactive"), location_row(id=NEW_OFFICE, validUntil="2020-01-01")]
    offices.fill(TOKEN)
    found = [offices.find(OFFICE), offices.find(NEW_OFFICE)]
    assert [office is not None and office.is_active for office in found] == [False, False]


def test_where_the_caller_has_no_token_another_one_is_used(core: Core, database: Database) -> None:
    offices = Offices(database, CoreLocations(core.url), token=lambda: TOKEN)
    core.locations = [location_row()]
    offices.fill("", OFFICE)
    assert offices.find(OFFICE) == LUSAKA_CENTRAL
    offices.close()


def test_where_there_is_no_token_none_is_looked_for_with_every_message(
    core: Core, database: Database, clock: Clock
) -> None:
    looked: list[str] = []

    def none() -> str:
        looked.append("once")
        return ""

    offices = Offices(database, CoreLocations(core.url), token=none, clock=clock)
    for _ in range(4):
        offices.fill("", OFFICE)
    assert len(looked) == 1
    clock.now += ASK_AGAIN_AFTER
    offices.fill("", OFFICE)
    assert len(looked) == 2
    core.locations = [location_row()]
    offices.fill(TOKEN, OFFICE)  # who brings a token does not wait
    assert offices.find(OFFICE) == LUSAKA_CENTRAL
    offices.close()
