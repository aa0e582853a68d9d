"""One application for many tests, since making one costs more than most of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.access import development
from app.database.engine import Database
from app.settings import Settings


@dataclass(frozen=True)
class Served:
    """An application, its settings, its database as another process sees it, and how core calls it."""

    app: Flask
    settings: Settings
    database: Database

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def as_core(self) -> dict[str, str]:
        """The headers that core sends."""
        return {"Authorization": f"Bearer {development.sign(self.settings.instance_dir)}"}


@contextmanager
def served(directory: Path, migrated: Path, **environ: str) -> Iterator[Served]:
    """In a fresh copy of the migrated SQLite file, unless `environ` has another DATABASE_URL."""
    defaults = {
        "APP_ENV": "test",
        "INSTANCE_DIR": str(directory / "instance"),
        "SECRET_KEY": Fernet.generate_key().decode(),
        "DATABASE_URL": f"sqlite:///{shutil.copy(migrated, directory / 'country-config.db')}",
    }
    settings = Settings.from_env(defaults | environ)
    app, database = create_app(settings), Database(settings.database_url)
    yield Served(app, settings, database)
    app.extensions["database"].close()
    database.close()
