"""The version of the schema: bring it up to date, or refuse an old one."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.database.engine import Database

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 3040  # any number, the same in all processes that migrate one PostgreSQL database


class OldSchema(Exception):
    """The tables are not those that this version of the program expects."""

    def __init__(self, found: str | None, wanted: str | None) -> None:
        super().__init__(
            f"The database is at schema version {found or 'none'}, this program needs {wanted}. "
            "Run: country-config db upgrade"
        )


def upgrade(database: Database) -> str:
    """Make or migrate the tables; several processes may try at once. Returns the version reached.

    Raises DatabaseAway.
    """
    config = _config()
    with database.unhurried_transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return _wanted() or ""


def check(database: Database) -> None:
    """Raises OldSchema unless the tables are up to date, and DatabaseAway. Makes no file where there is none."""
    found = None
    if not _is_a_missing_file(database):
        with database.reading() as connection:
            found = version(connection)
    if found != _wanted():
        raise OldSchema(found, _wanted())


def _is_a_missing_file(database: Database) -> bool:
    try:
        return database.is_sqlite and not Path(str(database.url.database)).exists()
    except OSError:  # a directory that is closed to us: opening the file says so better
        return False


def version(connection: Connection) -> str | None:
    """The version that the database is at, None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def _wanted() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
