"""Offices have names from the first minute: a call of core's brings the token that its lists are fetched with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.access import development
from app.analytics.store import AnalyticsStore
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import deliveries, triggers
from app.opencrvs.offices import Offices
from tests.analytics.test_locations import stored
from tests.decisions.conftest import Country
from tests.opencrvs.core_events import CLIENT_SECRET, Core, Mood
from tests.opencrvs.places import OFFICE, area_row, location_row

REINDEX: dict[str, Any] = {"aud": ["opencrvs:events-user"], "scope": ["type=record.reindex"]}
CLIENT = "5f10f0e9-dafa-48d6-b5e6-551809efa0ab"


@pytest.fixture
def country(make_country: Callable[..., Country], core: Core, tmp_path: Any) -> Country:
    core.locations, core.areas = [location_row()], [area_row()]
    return make_country(GATEWAY_URL=core.url, ANALYTICS_DATABASE_URL=f"sqlite:///{tmp_path / 'analytics.db'}")


def reindex(country: Country) -> str:
    token = development.sign(country.settings.instance_dir, **REINDEX)
    answer = country.app.test_client().post("/reindex", json=[], headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    return token


def fetched(country: Country) -> list[tuple[str, str | None]]:
    with country.database.reading() as connection:
        rows = connection.execute(select(deliveries).where(deliveries.c.channel == "place-lists")).all()
    return [(row.state, row.reason) for row in rows]


def test_the_token_of_a_reindex_brings_the_names_of_offices(
    country: Country, make_worker: Callable[..., Any], core: Core
) -> None:
    with capture_logs() as logs:
        token = reindex(country)
        worker = make_worker(country)
        worker.run_until_idle()
    assert fetched(country) == [("sent", None)]
    office = Offices(country.database, core=None).find(OFFICE)
    assert office is not None
    assert office.name == "Lusaka Central Office"
    assert token not in repr(logs)


def test_statistics_have_the_places_too(country: Country, make_worker: Callable[..., Any], tmp_path: Any) -> None:
    reindex(country)
    make_worker(country).run_until_idle()
    store = AnalyticsStore(Database(f"sqlite:///{tmp_path / 'analytics.db'}"))
    assert [row[1] for row in stored(store, "locations")] == ["Lusaka Central Office"]
    store.database.close()


def test_the_token_is_erased_once_the_lists_were_fetched(country: Country, make_worker: Callable[..., Any]) -> None:
    reindex(country)
    make_worker(country).run_until_idle()
    with country.database.reading() as connection:
        assert connection.scalars(select(triggers.c.secrets)).all() == [None]


def test_many_batches_ask_once_and_fresh_lists_are_not_asked_for(
    country: Country, make_worker: Callable[..., Any], make_country: Callable[..., Country], core: Core
) -> None:
    for _ in range(3):
        reindex(country)
    make_worker(country).run_until_idle()
    assert len(fetched(country)) == 1
    reindex(make_country(GATEWAY_URL=core.url))  # another process
    assert len(fetched(country)) == 1


def test_a_core_that_lists_nothing_yet_is_asked_again_until_the_token_ends(
    country: Country, make_worker: Callable[..., Any], core: Core
) -> None:
    core.locations = []
    reindex(country)
    worker = make_worker(country)
    worker.run_until_idle()
    assert fetched(country) == [("queued", "core lists no places yet")]
    core.locations = [location_row()]
    with country.database.transaction() as connection:
        connection.execute(update(deliveries).values(due_at=now()))
    worker.run_until_idle()
    assert fetched(country) == [("sent", None)]


def test_a_core_that_is_away_is_asked_again(country: Country, make_worker: Callable[..., Any], core: Core) -> None:
    core.mood = Mood.AWAY
    reindex(country)
    make_worker(country).run_until_idle()
    ((state, _),) = fetched(country)
    assert state == "queued"


def test_a_token_that_core_does_not_take_is_dropped(
    country: Country, make_worker: Callable[..., Any], core: Core
) -> None:
    core.tokens = set()
    reindex(country)
    make_worker(country).run_until_idle()
    ((state, reason),) = fetched(country)
    assert (state, "does not list" in str(reason)) == ("dropped", True)


def test_without_any_call_of_cores_our_own_client_brings_the_names(
    make_country: Callable[..., Country], make_worker: Callable[..., Any], core: Core
) -> None:
    core.upgrade()
    core.register(CLIENT)
    core.locations = [location_row()]
    country = make_country(GATEWAY_URL=core.url, SYSTEM_CLIENT_ID=CLIENT, SYSTEM_CLIENT_SECRET=CLIENT_SECRET)
    worker = make_worker(country)
    worker.run_until_idle()
    worker.close()  # which waits for what is under way
    assert Offices(country.database, core=None).find(OFFICE) is not None
