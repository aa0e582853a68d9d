"""One application for many tests, since making one costs more than most of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.access import development
from app.database.engine import Database
from app.settings import Settings
from app.triggers.allow_list import USER_TRIGGERS


@dataclass(frozen=True)
class Served:
    """An application, its settings, its database as another process sees it, and how core calls it."""

    app: Flask
    settings: Settings
    database: Database

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def as_core(self, trigger: str = "2fa") -> dict[str, str]:
        """The headers that core sends with a user trigger."""
        return self.with_token(development.sign_for(self.settings.instance_dir, USER_TRIGGERS[trigger]))

    def with_claims(self, **claims: Any) -> dict[str, str]:
        """The headers with a token of core's that says so."""
        return self.with_token(development.sign(self.settings.instance_dir, **claims))

    @staticmethod
    def with_token(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}


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
