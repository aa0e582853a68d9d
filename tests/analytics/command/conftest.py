"""`country-config analytics`, run in this process on a country and an SQLite file of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.analytics.store import AnalyticsStore
from app.cli import commands
from tests.conftest import SECRET_KEY
from tests.records.documents import EVENTS

Run = Callable[..., Result]
BIRTHS: list[dict[str, Any]] = [event for event in EVENTS if event["type"] == "birth"]


@pytest.fixture
def country(tmp_path: Path) -> Path:
    directory = tmp_path / "country"
    directory.mkdir()
    (directory / "rules.py").write_text("from app.country import analytics\nanalytics('birth', fields=['child.dob'])\n")
    return directory


@pytest.fixture
def environ(country: Path, tmp_path: Path, sqlite_url: str) -> dict[str, str]:
    return {
        "APP_ENV": "test",
        "INSTANCE_DIR": str(tmp_path / "instance"),
        "DATABASE_URL": sqlite_url,
        "ANALYTICS_DATABASE_URL": f"sqlite:///{tmp_path / 'analytics.db'}",
        "COUNTRY_DIR": str(country),
        "SECRET_KEY": SECRET_KEY,
    }


@pytest.fixture
def run(environ: dict[str, str]) -> Run:
    return lambda *arguments, **more: CliRunner().invoke(commands, ["analytics", *arguments], env=environ | more)


@pytest.fixture
def kept(make_store: Callable[[str], AnalyticsStore], environ: dict[str, str]) -> AnalyticsStore:
    return make_store(environ["ANALYTICS_DATABASE_URL"])


@pytest.fixture
def run_workers(run: Run, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The workers are processes of their own, with the environment of this one."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return run


def lines(events: list[Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)
