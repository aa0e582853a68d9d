"""A user that may only read and write rows, and tables that are somebody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from app.analytics.rows import COLUMNS
from app.analytics.store import AnalyticsStore
from app.analytics.tables import Unusable, script
from app.cli.analytics import analytics
from app.database.engine import Database
from tests.analytics.conftest import run
from tests.analytics.stored import expected, in_table, made
from tests.analytics.test_store import reasons, registered

MakeStore = Callable[[str], AnalyticsStore]


def test_what_an_owner_makes_and_gives_nobody_is_done_without(
    rows_only_url: str, prepared_url: str, make_store: MakeStore
) -> None:
    run(prepared_url, script())
    store = make_store(rows_only_url)
    assert {"event_versions", "records", "backlog"} <= set(store.layout().lacking)
    assert reasons(store, registered(1, "B-1")) == [None]
    assert in_table(store) == expected(made(registered(1, "B-1")))


def test_the_sql_for_a_role_gives_it_its_rights(rows_only_url: str, prepared_url: str, make_store: MakeStore) -> None:
    printed = CliRunner().invoke(analytics, ["sql", "--for", "statistician"])
    assert printed.exit_code == 0
    run(prepared_url, printed.output)
    store = make_store(rows_only_url)
    assert store.layout().lacking == ()
    assert reasons(store, registered(1, "B-1")) == [None]


def test_a_roles_name_is_never_taken_for_sql() -> None:
    assert 'TO "a""; DROP TABLE b";\n' in script('a"; DROP TABLE b')


@pytest.mark.parametrize(
    ("taken", "says"),
    [
        ("REVOKE DELETE ON analytics.event_actions FROM statistician", "may not be read and written"),
        ("REVOKE ALL ON analytics.event_actions FROM statistician", "may not be read and written"),
        ("REVOKE USAGE ON SCHEMA analytics FROM statistician", "may not be used"),
    ],
)
def test_a_right_that_is_needed_is_named(
    rows_only_url: str, prepared_url: str, make_store: MakeStore, taken: str, says: str
) -> None:
    run(prepared_url, taken)
    with pytest.raises(Unusable, match=f"{says}.*--for statistician.*GRANT"):
        make_store(rows_only_url).layout()


def test_a_column_that_may_not_be_written_is_done_without(
    rows_only_url: str, prepared_url: str, make_store: MakeStore
) -> None:
    others = ", ".join(column for column in COLUMNS if column != "content")
    run(
        prepared_url,
        "REVOKE INSERT ON analytics.event_actions FROM statistician; "
        f"GRANT INSERT ({others}) ON analytics.event_actions TO statistician",
    )
    store = make_store(rows_only_url)
    assert "event_actions.content" in store.layout().lacking
    assert reasons(store, registered(1, "B-1")) == [None]


def test_a_right_that_is_given_later_is_found(rows_only_url: str, prepared_url: str) -> None:
    store = AnalyticsStore(Database(rows_only_url), again_after=0)
    assert "event_versions" in store.layout().lacking
    run(prepared_url, script("statistician"))
    assert store.layout().lacking == ()
    store.database.close()
