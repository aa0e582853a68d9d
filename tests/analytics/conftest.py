"""The database for statistics, empty, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from app.analytics.store import AnalyticsStore
from app.database.engine import Database

REFERENCE = """
CREATE SCHEMA analytics;
CREATE TABLE analytics.event_actions (
  event_type text NOT NULL, action_type text NOT NULL, custom_action_type text, annotation jsonb, assigned_to text,
  created_at timestamptz NOT NULL, created_at_location text, created_by text, created_by_role text,
  created_by_signature text, created_by_user_type text, declared_at timestamptz, registered_at timestamptz,
  declaration jsonb NOT NULL, event_id uuid NOT NULL, id uuid PRIMARY KEY, original_action_id uuid,
  registration_number text UNIQUE, request_id text, status text, transaction_id text, content jsonb
);
CREATE INDEX ON analytics.event_actions (event_id);
CREATE TABLE analytics.administrative_areas (
  id uuid PRIMARY KEY, name text NOT NULL, parent_id uuid REFERENCES analytics.administrative_areas (id)
);
CREATE TABLE analytics.locations (
  id uuid PRIMARY KEY, name text NOT NULL,
  administrative_area_id uuid REFERENCES analytics.administrative_areas (id), location_type text NOT NULL
);
CREATE TABLE analytics.location_levels (id text PRIMARY KEY, level integer NOT NULL, name text NOT NULL);
CREATE TABLE analytics.location_statistics (
  name text, reference_id text, year integer, crude_birth_rate double precision, male_population integer,
  female_population integer, total_population integer, PRIMARY KEY (reference_id, year)
);
"""
WITH_ROWS_ONLY = """
DROP ROLE IF EXISTS statistician;
CREATE ROLE statistician LOGIN;
GRANT USAGE ON SCHEMA analytics TO statistician;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA analytics TO statistician;
"""


def without_analytics(url: str) -> str:
    """A PostgreSQL in which nothing of ours is left."""
    run(url, "DROP SCHEMA IF EXISTS analytics CASCADE")
    return url


def run(url: str, script: str) -> None:
    database = Database(url)
    with database.transaction() as connection:
        connection.exec_driver_sql(script)
    database.close()


@pytest.fixture
def bare_postgresql(postgresql: str) -> str:
    return without_analytics(postgresql)


@pytest.fixture
def prepared_url(bare_postgresql: str) -> str:
    """A schema made beforehand like the reference's."""
    run(bare_postgresql, REFERENCE)
    return bare_postgresql


@pytest.fixture
def rows_only_url(prepared_url: str) -> Iterator[str]:
    """The same, for a user that may read and write rows, and make nothing."""
    run(prepared_url, WITH_ROWS_ONLY)
    yield make_url(prepared_url).set(username="statistician").render_as_string(hide_password=False)
    run(prepared_url, "DROP OWNED BY statistician; DROP ROLE statistician")


@pytest.fixture(params=["sqlite", "postgresql"])
def analytics_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'analytics.db'}"
    return str(request.getfixturevalue("bare_postgresql"))


@pytest.fixture
def make_store() -> Iterator[Callable[[str], AnalyticsStore]]:
    made: list[AnalyticsStore] = []

    def make(url: str) -> AnalyticsStore:
        made.append(AnalyticsStore(Database(url)))
        return made[-1]

    yield make
    for store in made:
        store.database.close()


@pytest.fixture
def store(make_store: Callable[[str], AnalyticsStore], analytics_url: str) -> AnalyticsStore:
    return make_store(analytics_url)


@pytest.fixture(params=["sqlite", "postgresql", "prepared", "rows only"])
def any_store(
    request: pytest.FixtureRequest, make_store: Callable[[str], AnalyticsStore], tmp_path: Path
) -> AnalyticsStore:
    """Also on a schema made beforehand, with and without the right to make tables."""
    fixtures = {"postgresql": "bare_postgresql", "prepared": "prepared_url", "rows only": "rows_only_url"}
    if request.param == "sqlite":
        return make_store(f"sqlite:///{tmp_path / 'analytics.db'}")
    return make_store(str(request.getfixturevalue(fixtures[request.param])))


def count(store: AnalyticsStore, name: str) -> int:
    """How many rows a table or view has."""
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {prefix}{name}")) or 0)  # noqa: S608
