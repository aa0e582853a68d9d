"""A server for the tests of one module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.triggers.serving import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Served]:
    """In development, with a country's own triggers, on SQLite."""
    directory = tmp_path_factory.mktemp("server")
    (directory / "country").mkdir()
    (directory / "country" / "rules.py").write_text(RULES, encoding="utf-8")
    with served(
        directory,
        migrated_sqlite,
        COUNTRY_DIR=str(directory / "country"),
        DOMAIN="registry.test",
        ALERT_EMAIL="operators@registry.test",
        ALERT_RECIPIENT_DOMAINS="registry.test",
        SENDER_EMAIL_ADDRESS="Registry <no-reply@registry.test>",
    ) as server:
        yield server


RULES = """
from app.country import fields, trigger

trigger(
    "hospital/discharge",
    fields={
        "ward": fields.String(required=True),
        "pin": fields.String(),
        "on": fields.Date(),
        "weight": fields.Decimal(),
        "notes": fields.Raw(allow_none=True),
        "tags": fields.Dict(keys=fields.String(), values=fields.Integer()),
    },
    message="hospital-discharge",
    secrets=["pin"],
)
trigger("hospital/birth/notice", fields={"mother": fields.String(required=True)}, message="birth-notice")
"""
