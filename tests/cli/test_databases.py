"""Commands that look into the database, where there is nothing yet to look into."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text

from app.cli import commands
from app.cli.databases import shown_time
from app.database.engine import Database
from app.database.schema import OldSchema
from tests.conftest import SECRET_KEY


@pytest.fixture
def empty_postgresql(postgresql: str) -> Iterator[str]:
    """A database of the server's without any table."""
    server = Database(postgresql)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("CREATE DATABASE empty"))
        yield make_url(postgresql).set(database="empty").render_as_string(hide_password=False)
        connection.execute(text("DROP DATABASE empty"))
    server.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'country-config.db'}"
    return str(request.getfixturevalue("empty_postgresql"))


@pytest.mark.parametrize(
    "arguments",
    [
        ("outbox", "list"),
        ("outbox", "retry", "--all"),
        ("confirmations", "list"),
        ("confirmations", "reject", "some-id", "--reason", "no"),
        ("clients", "list"),
        ("clients", "create", "mosip", "--permission", "confirmations:write"),
    ],
    ids=" ".join,
)
def test_a_database_without_tables_is_refused_with_the_cure(
    empty: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    environ = {"APP_ENV": "test", "DATABASE_URL": empty, "SECRET_KEY": SECRET_KEY}
    result = CliRunner().invoke(commands, arguments, env=environ)
    assert isinstance(result.exception, OldSchema), result.output
    assert "country-config db upgrade" in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_times_are_shown_in_utc() -> None:
    assert shown_time(1_790_000_000.9) == "2026-09-21 14:13:20"
    assert shown_time(None) == ""
