"""The migrations make the tables that the code speaks of."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.database import schema
from app.database.engine import Database, DatabaseAway
from app.database.schema import OldSchema
from app.database.tables import metadata


def test_the_migrated_tables_are_those_of_the_code(database: Database) -> None:
    with database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    assert schema.upgrade(database) == schema.upgrade(database)
    schema.check(database)


def test_a_database_without_tables_is_refused_with_the_cure(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'empty.db'}")
    with pytest.raises(OldSchema, match="country-config db upgrade"):
        schema.check(database)
    database.close()


def test_to_look_at_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'empty.db'}")
    with pytest.raises(OldSchema):
        schema.check(database)
    assert list(tmp_path.iterdir()) == []


def test_a_migration_waits_for_another_one_past_the_timeout_of_statements(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database.engine.STATEMENT_TIMEOUT", 0.2)
    monkeypatch.setattr("app.database.engine.GRACE", 0.2)
    other, database = Database(postgresql), Database(postgresql)
    with ThreadPoolExecutor(1) as pool:
        with other.transaction() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": schema._LOCK})
            migration = pool.submit(schema.upgrade, database)
            assert wait([migration], timeout=1).not_done
        assert migration.result(60)
    with pytest.raises(DatabaseAway), database.reading() as connection:
        connection.execute(text("SELECT pg_sleep(2)"))
    for opened in (other, database):
        opened.close()


def test_the_file_of_a_database_is_its_owners_only(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "mine" / "new.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    assert path.stat().st_mode & 0o077 == 0
