"""A country config that core calls when the system is ready."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from werkzeug.test import TestResponse

from app import country
from app.access import development
from app.access.core_token import CoreTokens
from app.access.gate import Gate
from app.access.networks import Callers, TokenlessNetworks
from app.cli import commands
from app.database.engine import Database
from app.encryption import Cipher
from app.http import errors, requests
from app.metrics import gauges
from app.metrics.reading import DatabaseGauges
from app.opencrvs.integrations import Integrations
from app.opencrvs.public_key import FixedKey
from app.opencrvs.registered_clients import RegisteredClients
from app.opencrvs.version_signs import SeenSign, VersionSigns
from app.settings import Settings
from app.triggers.system import system_routes
from app.triggers.system_setup import SystemSetup, own_integration
from tests.metrics.scraping import collected
from tests.opencrvs.core_integrations import EventsService

OWN_ID = "5b2f0c1e-7a52-4d0e-9d6e-0d2a5ab1c001"
OWN_SECRET = "own-secret-0123456789"
OWN = {"SYSTEM_CLIENT_ID": OWN_ID, "SYSTEM_CLIENT_SECRET": OWN_SECRET}

CORE = {"sub": "system", "userType": "system", "scope": ["type=integration.create"]}
CORE_2_0_0: dict[str, Any] = {"sub": "opencrvs:data-seeder-service"}


class Registry:
    """A running country config, and what its operator sees."""

    def __init__(self, app: Flask, settings: Settings, environ: dict[str, str]) -> None:
        self.app = app
        self.settings = settings
        self._environ = environ

    @property
    def database(self) -> Database:
        found: Database = self.app.extensions["database"]
        return found

    def call(self, claims: dict[str, Any] = CORE, *, method: str = "GET", path: str = "/triggers") -> TestResponse:
        token = development.sign(self.settings.instance_dir, **claims)
        headers = {"Authorization": f"Bearer {token}"}
        return self.app.test_client().open(f"{path}/system/ready", method=method, headers=headers)

    def call_at_once(self, *others: Registry) -> list[int]:
        """One call each, at the same time; the statuses."""
        registries = (self, *others)
        with ThreadPoolExecutor(len(registries)) as pool:
            return [answer.status_code for answer in pool.map(Registry.call, registries)]

    def failures(self) -> dict[str, str]:
        """What a call is answered with 503 for, by name."""
        answer: Any = self.call()
        assert answer.status_code == 503
        return {".".join(detail["path"]): detail["message"] for detail in answer.json["details"]}

    def mismatch(self, name: str = "country-config") -> float | None:
        """The gauge."""
        figures = collected(DatabaseGauges(self.database, partial(gauges.read, has_client=False)))
        return figures.of("integration_mismatch", integration=name)

    def confirmations_list(self) -> str:
        result = CliRunner().invoke(commands, ["confirmations", "list"], env=self._environ)
        assert result.exit_code == 0, result.output
        return result.output

    def signs(self) -> list[str]:
        seen: list[SeenSign] = list(VersionSigns(self.database).seen(3_600.0))
        return [one.sign.value for one in seen]


MakeRegistry = Callable[..., Registry]


@pytest.fixture
def make_registry(
    make_app: Callable[[Settings], Flask],
    make_settings: Callable[..., Settings],
    database_url: str,
    tmp_path: Path,
    events_service: EventsService,
) -> MakeRegistry:
    """The server of the product, on the test's database; each call makes another process's."""

    def make(rules: str = "", **environ: str) -> Registry:
        directory = tmp_path / "country"
        directory.mkdir(exist_ok=True)
        (directory / "rules.py").write_text(rules)
        environ = {
            "DATABASE_URL": database_url,
            "COUNTRY_DIR": str(directory),
            "EVENTS_URL": events_service.url,
        } | environ
        settings = make_settings(**environ)
        shown = {"APP_ENV": "test", "SECRET_KEY": settings.secret_keys[0], "INSTANCE_DIR": str(settings.instance_dir)}
        return Registry(make_app(settings), settings, environ | shown)

    return make


@pytest.fixture
def make_hurried(make_registry: MakeRegistry) -> Callable[..., Registry]:
    """The same with a time limit of the test's own, and nothing but this trigger."""

    def make(time_limit: float, rules: str = "", **environ: str) -> Registry:
        registry = make_registry(rules, **environ)
        settings, database = registry.settings, registry.database
        setup = SystemSetup(
            database,
            RegisteredClients(database, Cipher(settings.secret_keys)),
            country.load(settings.country_dir),
            settings.integrations,
            own_integration(settings.system_client_name, settings.system_client),
            Integrations(settings.events_url) if settings.events_url else None,
            time_limit,
        )
        gate = Gate(
            CoreTokens(FixedKey(development.public_key(settings.instance_dir))),
            Callers((), ()),
            database,
            TokenlessNetworks.from_settings(settings),
        )
        app = Flask(__name__)
        requests.install(app)
        errors.install(app)
        app.register_blueprint(system_routes(gate, setup, VersionSigns(database), lambda _token, _claims: None))
        app.extensions["database"] = database
        registry.app = app
        return registry

    return make


def seconds_of(call: Callable[[], object]) -> float:
    started_at = time.monotonic()
    call()
    return time.monotonic() - started_at
