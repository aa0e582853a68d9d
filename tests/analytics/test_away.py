"""A database that is away, that only reads, or that holds something back; and what a country's own trigger refuses."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from app.analytics.store import AnalyticsStore
from app.analytics.tables import LOCK
from app.database.engine import Database, DatabaseAway
from tests.analytics.conftest import run
from tests.analytics.stored import expected, in_table, made
from tests.analytics.test_store import reasons, registered

MakeStore = Callable[[str], AnalyticsStore]
REFUSING = """
CREATE FUNCTION analytics.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.registration_number = 'B-1' THEN RAISE EXCEPTION 'not this one'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER refuse BEFORE INSERT ON analytics.event_actions FOR EACH ROW EXECUTE FUNCTION analytics.refuse()
"""


def test_nothing_of_a_row_is_in_what_is_said_of_a_database_that_is_away(postgresql: str) -> None:
    database = Database(postgresql)
    raising = (
        "DO $$ BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'query_canceled', DETAIL = 'Key (name)=(Jane Doe)'; END $$"
    )
    with pytest.raises(DatabaseAway) as away, database.transaction() as connection:
        connection.exec_driver_sql(raising)
    database.close()
    assert str(away.value) == "gone"


def test_a_server_that_only_reads_is_away(prepared_url: str, make_store: MakeStore) -> None:
    store = make_store(prepared_url)
    store.layout()
    with store.database.transaction() as connection:
        name = connection.scalar(text("SELECT current_database()"))
    run(prepared_url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    store.database.close()
    try:
        with pytest.raises(DatabaseAway, match="read-only"):
            reasons(store, registered(1, "B-1"))
        with pytest.raises(DatabaseAway, match="read-only"):
            run(prepared_url, "DELETE FROM analytics.event_actions")
    finally:
        run(prepared_url, f'SET TRANSACTION READ WRITE; ALTER DATABASE "{name}" RESET default_transaction_read_only')
        store.database.close()
    assert reasons(store, registered(1, "B-1")) == [None]


def test_what_a_countrys_trigger_refuses_skips_that_event_only(prepared_url: str, make_store: MakeStore) -> None:
    run(prepared_url, REFUSING)
    store = make_store(prepared_url)
    (refused, written) = reasons(store, registered(1, "B-1"), registered(2, "B-2"))
    assert (refused or "").startswith("the database refuses it")
    assert written is None
    assert in_table(store) == expected(made(registered(2, "B-2")))


def test_a_lock_that_another_holds_is_not_waited_for_without_limit(prepared_url: str, make_store: MakeStore) -> None:
    run(prepared_url, "ALTER TABLE analytics.event_actions DROP COLUMN content")
    holder, store = make_store(prepared_url), make_store(prepared_url)
    with holder.database.transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(DatabaseAway, match="lock timeout"):
            store.layout()
    assert store.layout().lacking == ()


def test_a_column_that_a_lock_holds_back_is_added_later(prepared_url: str, make_store: MakeStore) -> None:
    run(prepared_url, "ALTER TABLE analytics.event_actions DROP COLUMN content")
    reader, store = make_store(prepared_url), make_store(prepared_url)
    with reader.database.reading() as connection:
        connection.execute(text("SELECT count(*) FROM analytics.event_actions"))
        with pytest.raises(DatabaseAway, match=r"event_actions\.content cannot be made now"):
            store.layout()
    assert store.layout().lacking == ()


def test_a_transaction_that_is_left_open_ends(postgresql: str) -> None:
    database = Database(postgresql)
    with database.reading() as connection:
        assert connection.scalar(text("SHOW idle_in_transaction_session_timeout")) == "1min"
    database.close()


def test_a_view_that_somebody_reads_holds_nothing_up(prepared_url: str, make_store: MakeStore) -> None:
    reader = make_store(prepared_url)
    reader.layout()
    run(prepared_url, "COMMENT ON VIEW analytics.records IS 'Made by country-config: an older one'")
    store = make_store(prepared_url)
    with reader.database.reading() as connection:
        connection.execute(text("SELECT count(*) FROM analytics.records"))
        assert reasons(store, registered(1, "B-1")) == [None]
        assert store.layout().lacking == ("records",)


def test_a_layout_that_is_known_will_do_while_it_cannot_be_made_whole(prepared_url: str, make_store: MakeStore) -> None:
    holder = make_store(prepared_url)
    run(prepared_url, "DROP INDEX analytics.event_actions_event_id_idx")
    store = AnalyticsStore(Database(prepared_url), again_after=0)
    assert store.layout().lacking == ("an index on event_actions.event_id",)
    with holder.database.transaction() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        assert store.layout().lacking == ("an index on event_actions.event_id",)
    store.database.close()


def test_types_of_actions_may_be_an_enum(prepared_url: str, make_store: MakeStore) -> None:
    run(
        prepared_url,
        "CREATE TYPE analytics.kind AS ENUM ('CREATE', 'DECLARE', 'REGISTER'); "
        "ALTER TABLE analytics.event_actions ALTER COLUMN action_type TYPE analytics.kind "
        "USING action_type::analytics.kind",
    )
    store = make_store(prepared_url)
    assert reasons(store, registered(1, "B-1")) == [None]
    assert store.layout().lacking == ()
