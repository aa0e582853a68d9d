"""Which versions of core were seen, and what is missing for the newer one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from app.cli import commands
from app.database.engine import Database
from app.opencrvs.version_signs import Sign, VersionSigns
from tests.conftest import SECRET_KEY
from tests.opencrvs.core_events import CLIENT_SECRET, Core

CLIENT = "5f10f0e9-dafa-48d6-b5e6-551809efa0ab"
Run = Callable[..., Result]


@pytest.fixture
def run(sqlite_url: str) -> Run:
    def invoke(*arguments: str, **environ: str) -> Result:
        base = {"APP_ENV": "test", "DATABASE_URL": sqlite_url, "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, ["compat", *arguments], env=base | environ)

    return invoke


@pytest.fixture
def signs(sqlite_url: str) -> VersionSigns:
    return VersionSigns(Database(sqlite_url))


def complete(core: Core) -> dict[str, str]:
    core.register(CLIENT)
    urls = {"GATEWAY_URL": core.url, "EVENTS_URL": core.url, "EVENT_CONFIG_URL": core.url}
    return {**urls, "SYSTEM_CLIENT_ID": CLIENT, "SYSTEM_CLIENT_SECRET": CLIENT_SECRET}


def test_no_core_was_seen_and_what_a_newer_one_needs_is_listed(run: Run) -> None:
    result = run()
    assert result.exit_code == 0
    assert "No core was seen." in result.output
    for name in ("GATEWAY_URL", "EVENTS_URL", "SYSTEM_CLIENT_ID", "EVENT_CONFIG_URL"):
        assert name in result.output


def test_both_versions_are_shown_by_their_signs(run: Run, signs: VersionSigns) -> None:
    signs.record(Sign.ACTION_BOUND)
    signs.record(Sign.SERVICE)
    signs.record(Sign.UNKNOWN_ACTION_TYPE, "REVOKE_REGISTRATION")
    output = run().output
    for word in ("action-bound-token", "service-token", "2.0", "2.1", "newer than 2.1", "REVOKE_REGISTRATION"):
        assert word in output


def test_it_fails_where_core_2_1_is_there_and_something_is_missing(run: Run, signs: VersionSigns) -> None:
    signs.record(Sign.ACTION_BOUND)
    assert run().exit_code == 0
    signs.record(Sign.SERVICE)
    assert run().exit_code == 1


def test_with_working_credentials_nothing_is_missing(run: Run, signs: VersionSigns, core: Core) -> None:
    signs.record(Sign.SERVICE)
    result = run(**complete(core))
    assert result.exit_code == 0
    assert "Nothing is missing" in result.output


def test_credentials_that_core_refuses_are_told_without_the_secret(run: Run, core: Core) -> None:
    environ = complete(core)
    core.clients.clear()
    output = run(**environ).output
    assert "refuses our system client" in output
    assert CLIENT_SECRET not in output
