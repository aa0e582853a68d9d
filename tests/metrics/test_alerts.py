"""The alerts in deploy/ are about figures that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry, generate_latest

from app.metrics.delivered import Delivered, Outcome

ALERTS = Path(__file__).parents[2] / "deploy" / "alerts.yaml"
PROMETHEUS_OWN = {"up"}
# One alert: the comment before it, its name, its expression and what it says.
_ALERT = re.compile(
    r"(?P<comment>(?:^ +# .*\n)*)"
    r"^      - alert: (?P<name>\w+)\n"
    r"        expr: (?P<expression>.*\n(?: {10,}.*\n)*)"
    r"(?:        for: \d+[smh]\n)?"
    r"        labels:\n          severity: (?:critical|warning)\n"
    r"        annotations:\n          summary: (?P<summary>.+)\n",
    re.MULTILINE,
)
_ALERTS = {found["name"]: found for found in _ALERT.finditer(ALERTS.read_text(encoding="utf-8"))}
_GROUPING = re.compile(r"\b(?:by|on) \((?P<labels>[^)]*)\)")
_SELECTOR = re.compile(r"\{[^}]*\}")
_FUNCTIONS = {"max", "sum", "increase", "delta", "time", "or", "unless"}


@pytest.fixture
def told(client: FlaskClient) -> set[str]:
    """The names of all figures, of the web part and of a worker."""
    registry = CollectorRegistry()
    Delivered(registry)
    scrapes = client.get("/metrics").text + generate_latest(registry).decode()
    return set(re.findall(r"^# TYPE (\w+) ", scrapes, re.MULTILINE))


def test_every_alert_is_read_here() -> None:
    text = ALERTS.read_text(encoding="utf-8")
    assert "\t" not in text
    assert len(_ALERTS) == text.count("- alert:") == 10


@pytest.mark.parametrize("name", _ALERTS)
def test_an_alert_says_when_it_matters_and_what_is_wrong(name: str) -> None:
    assert len(_ALERTS[name]["comment"].split()) > 20
    assert len(_ALERTS[name]["summary"].split()) > 5


@pytest.mark.parametrize("name", _ALERTS)
def test_an_alert_is_about_figures_that_there_are(name: str, told: set[str]) -> None:
    expression = _ALERTS[name]["expression"]
    bare = _SELECTOR.sub("", _GROUPING.sub("", expression))
    names = set(re.findall(r"\b[a-z_]{2,}\b", bare)) - _FUNCTIONS
    assert names
    assert names <= told | PROMETHEUS_OWN


@pytest.mark.parametrize("name", _ALERTS)
def test_an_alert_groups_and_selects_by_labels_that_there_are(name: str) -> None:
    expression = _ALERTS[name]["expression"]
    grouped = {label for found in _GROUPING.findall(expression) for label in found.split(", ")}
    assert grouped <= {"destination", "integration", "detail"}
    outcomes = {value for found in re.findall(r'outcome=~"([^"]*)"', expression) for value in found.split("|")}
    assert outcomes <= set(Outcome)
