"""What somebody else made under one of our names, and what is lacking of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.analytics.store import AnalyticsStore
from app.analytics.tables import script
from tests.analytics.conftest import count, run
from tests.analytics.test_store import reasons, registered

MakeStore = Callable[[str], AnalyticsStore]
INDEX = "an index on event_actions.event_id"


def test_a_table_without_its_index_is_named(prepared_url: str, make_store: MakeStore) -> None:
    run(prepared_url, "DROP INDEX analytics.event_actions_event_id_idx")
    assert make_store(prepared_url).layout().lacking == (INDEX,)
    run(prepared_url, script())
    assert make_store(prepared_url).layout().lacking == ()


@pytest.mark.parametrize(
    "made", ["CREATE VIEW backlog AS SELECT 1 AS mine", "CREATE TABLE backlog AS SELECT 1 AS mine"]
)
def test_what_a_country_made_on_sqlite_is_left(tmp_path: Path, make_store: MakeStore, made: str) -> None:
    url = f"sqlite:///{tmp_path / 'analytics.db'}"
    run(url, made)
    assert reasons(make_store(url), registered(1, "B-1")) == [None]
    assert count(make_store(url), "backlog WHERE mine = 1") == 1


def test_an_older_view_of_ours_is_made_anew_on_sqlite(tmp_path: Path, make_store: MakeStore) -> None:
    url = f"sqlite:///{tmp_path / 'analytics.db'}"
    run(url, "CREATE VIEW backlog AS /* Made by country-config: 0 */ SELECT 1 AS older")
    make_store(url).layout()
    assert count(make_store(url), "backlog WHERE days_waiting IS NULL") == 0
