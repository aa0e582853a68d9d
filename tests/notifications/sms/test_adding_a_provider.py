"""The page on adding a provider: its settings, its file and its test do what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.database.engine import Database
from app.encryption import Cipher
from app.notifications.inbox import Inbox
from app.notifications.sms.gateway import http_provider
from app.notifications.sms.gateway_settings import http_gateway
from app.notifications.sms.providers import OURS, sms_provider
from app.notifications.sms.sender import Provider
from app.notifications.sms.templates import NAMES
from app.outbox.delivery import Failed, Retry, Sent
from tests.conftest import SECRET_KEY
from tests.notifications.sms.stub_africas_talking import KEY, USERNAME, AfricasTalkingStub

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "adding-a-provider.md").read_text("utf-8")
NUMBER = "+260977111222"
TEXT = "Your code is 730164 & more: é +1"

SETTINGS, FILE, TEST = (
    re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[place]
    for kind, place in [("sh", 0), ("python", 0), ("python", 1)]
)


def by_settings(stub: AfricasTalkingStub, directory: Path) -> Provider:
    given = dict(assignment.split("=", 1) for assignment in shlex.split(SETTINGS))
    assert given["SMS_PROVIDER"] == "http"
    return http_provider(http_gateway(given | {"SMS_HTTP_URL": stub.url}))


def by_file(stub: AfricasTalkingStub, directory: Path) -> Provider:
    (directory / "sms").mkdir()
    (directory / "sms" / "africastalking.py").write_text(FILE, "utf-8")
    unused = Inbox(Database(f"sqlite:///{directory / 'unused.db'}"), Cipher([SECRET_KEY]))
    values = {
        "AFRICASTALKING_URL": stub.url,
        "AFRICASTALKING_USERNAME": USERNAME,
        "AFRICASTALKING_SENDER": "CIVILREG",
        "AFRICASTALKING_API_KEY": KEY,
    }
    return sms_provider("africastalking", values, unused, directory)


@pytest.fixture(params=[by_settings, by_file])
def provider(request: pytest.FixtureRequest, africas_talking: AfricasTalkingStub, tmp_path: Path) -> Provider:
    make: Callable[[AfricasTalkingStub, Path], Provider] = request.param
    return make(africas_talking, tmp_path)


def test_a_message_is_taken(africas_talking: AfricasTalkingStub, provider: Provider) -> None:
    outcome = provider(NUMBER, TEXT, "delivery-1")
    assert isinstance(outcome, Sent)
    assert outcome.provider_id == "ATXid_7cf1"
    assert africas_talking.taken == [{"username": USERNAME, "to": NUMBER, "message": TEXT, "from": "CIVILREG"}]


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (100, "Processed", Sent),
        (102, "Queued", Sent),
        (403, "InvalidPhoneNumber", Failed),
        (404, "UnsupportedNumberType", Failed),
        (406, "UserInBlacklist", Failed),
        (409, "DoNotDisturbRejection", Failed),
        (0, "SomethingNew", Failed),
        (401, "RiskHold", Retry),
        (402, "InvalidSenderId", Retry),
        (405, "InsufficientBalance", Retry),
        (407, "CouldNotRoute", Retry),
        (500, "InternalServerError", Retry),
        (501, "GatewayError", Retry),
    ],
)
def test_the_codes_are_sorted(
    africas_talking: AfricasTalkingStub, provider: Provider, code: int, name: str, expected: type[Any]
) -> None:
    africas_talking.status = (code, name)
    outcome = provider(NUMBER, TEXT, "delivery-1")
    # Settings alone know what is taken and what is not: the rest may be either, and each try is paid for.
    assert isinstance(outcome, Failed if provider.__module__.endswith("gateway") and expected is Retry else expected)
    assert "977111222" not in str(outcome)


def test_a_wrong_key_waits_for_an_operator(africas_talking: AfricasTalkingStub, provider: Provider) -> None:
    africas_talking.key = "another key"
    outcome = provider(NUMBER, TEXT, "delivery-1")
    assert isinstance(outcome, Retry)
    assert outcome.destination_down
    assert "The supplied authentication is invalid" in outcome.answer


def test_the_test_that_it_shows_passes(tmp_path: Path) -> None:
    (tmp_path / "sms").mkdir()
    (tmp_path / "sms" / "africastalking.py").write_text(FILE, "utf-8")
    (tmp_path / "test_africastalking.py").write_text(TEST, "utf-8")
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_africastalking.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "4 passed" in told.stdout, told.stdout


def test_the_file_is_about_forty_lines() -> None:
    assert len([line for line in FILE.splitlines() if line.strip()]) <= 45


@pytest.mark.parametrize(
    "name",
    [
        *OURS,
        *NAMES,
        *sorted(
            set(re.findall(r"\bSMS_HTTP_[A-Z_]+", (ROOT / "app/notifications/sms/gateway_settings.py").read_text()))
        ),
    ],
)
def test_all_that_there_is_is_on_the_page(name: str) -> None:
    assert f"`{name}`" in PAGE or f"`{{{{{name}}}}}`" in PAGE
