"""The migrations make the tables that the code speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.database import schema
from app.database.engine import Database
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


def test_the_file_of_a_database_is_its_owners_only(sqlite_url: str, tmp_path: Path) -> None:
    path = tmp_path / "mine" / "new.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    database.close()
    assert path.stat().st_mode & 0o077 == 0
