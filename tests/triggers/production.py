"""A server in production, for tests: core's auth service has the key that signs their tokens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pytest_httpserver import HTTPServer
from werkzeug.test import TestResponse

from app.access import development
from app.triggers.samples import USER_SAMPLES
from tests.triggers.answers import ALERT
from tests.triggers.serving import Served, served

SETTINGS = {
    "APP_ENV": "production",
    "DOMAIN": "registry.test",
    "LOGIN_URL": "https://login.registry.test",
    "SENDER_EMAIL_ADDRESS": "no-reply@registry.test",
    "ALERT_EMAIL": "operators@registry.test",
    "SMTP_HOST": "127.0.0.1",
}
RULES = """
from app.country import fields, trigger

trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")
"""

STRANGER, LISTED, PRIVATE, PROXY = "203.0.113.7", "10.7.0.1", "10.8.0.1", "10.0.0.2"
NETWORKS = {"TOKENLESS_CALLERS": f"10.7.0.0/16, {PROXY}", "TRUSTED_PROXIES": PROXY}
USER = {"sub": "6f2b8a54-4d2c-4c8e-9a57-0e5d2f1c7b3a", "userType": "user"}
OWN_TRIGGER = "/triggers/hospital/discharge"
BODIES: dict[str, Any] = {f"/triggers/user/{name}": sample for name, sample in USER_SAMPLES.items()} | {
    "/email": ALERT,
    OWN_TRIGGER: {"recipient": {"email": "amina@registry.test"}, "ward": "Maternity"},
}


def call(server: Served, path: str, peer: str = STRANGER, headers: dict[str, str] | None = None) -> TestResponse:
    """Send a valid body to the path."""
    return server.client.post(path, json=BODIES[path], headers=headers, environ_base={"REMOTE_ADDR": peer})


@contextmanager
def in_production(directory: Path, migrated: Path, auth_key: Path, **environ: str) -> Iterator[Served]:
    """As `served`, with one trigger of the country's own at hospital/discharge."""
    (directory / "country").mkdir(exist_ok=True)
    (directory / "country" / "rules.py").write_text(RULES, encoding="utf-8")
    instance = directory / "instance"
    instance.mkdir(exist_ok=True)
    shutil.copy(auth_key, instance)
    pem = development.public_key(instance).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with HTTPServer(host="127.0.0.1") as auth:
        auth.expect_request("/.well-known").respond_with_data(pem)
        settings = SETTINGS | NETWORKS | {"AUTH_URL": auth.url_for(""), "COUNTRY_DIR": str(directory / "country")}
        with served(directory, migrated, **(settings | environ)) as server:
            yield server
