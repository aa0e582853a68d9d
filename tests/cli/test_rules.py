"""`country-config rules check` and `try`: what a country has declared, and whether it fits its configurations."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pytest_httpserver import HTTPServer

from app.cli import commands
from app.decisions.deferring import may_be_deferred
from app.records.actions import CONFIRMABLE
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import question
from tests.records.configurations import BIRTH


def test_what_is_kept_for_statistics_is_listed(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(
        "from functools import partial\nfrom app.country import analytics, birth_figures\n"
        "analytics('birth', fields=['child.dob', 'child.gender'], computed=birth_figures)\n"
        "analytics('death', computed=partial(birth_figures))\n"
    )
    checked = CliRunner().invoke(commands, ["rules", "check"], env={"APP_ENV": "test", "COUNTRY_DIR": str(tmp_path)})
    assert checked.exit_code == 0, checked.output
    listed = [" ".join(line.split()) for line in checked.stdout.splitlines()]
    assert "statistics birth 2 fields, birth_figures" in listed
    assert "statistics death fields of the configuration, a function" in listed


@pytest.fixture
def config_url(httpserver: HTTPServer) -> str:
    httpserver.expect_request("/events").respond_with_json([BIRTH])
    return httpserver.url_for("/events")


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Result]:
    def invoke(rules: str, *arguments: str, **environ: str) -> Result:
        (tmp_path / "rules.py").write_text(f"from app.country import *\n{rules}")
        settings = {"APP_ENV": "test", "COUNTRY_DIR": str(tmp_path), "SECRET_KEY": SECRET_KEY}
        return CliRunner().invoke(commands, ["rules", *arguments], env=settings | environ)

    return invoke


RAISES = "def rule(action):\n    raise SystemExit('a rule was run')\n"


def test_names_that_no_configuration_has_are_found_before_a_deployment(
    run: Callable[..., Result], config_url: str
) -> None:
    rules = (
        f"@on_action('brith', 'REGISTER')\n@on_action('*', 'REGISTER')\n@on_action('birth', '*')\n{RAISES}"
        "@registration_number('deth')\ndef number(action, serial):\n    raise SystemExit\n"
        "analytics('birth', fields=['child.dob', 'review.comment', 'collector.identity', 'child.birthday'])\n"
        "analytics('adoption', fields=['anything'])\n"
    )
    checked = run(rules, "check", EVENT_CONFIG_URL=config_url)
    assert checked.exit_code == 1
    found = [line for line in checked.stdout.splitlines() if ": no " in line]
    assert found == [
        "on_action('brith', 'REGISTER'): no event type brith is configured: use one of birth",
        "registration_number('deth'): no event type deth is configured: use one of birth",
        "analytics('adoption'): no event type adoption is configured: use one of birth",
        "analytics('birth'): no form has the field child.birthday: correct its id, or remove it",
    ]


def test_rules_that_fit_the_configurations_pass(run: Callable[..., Result], config_url: str) -> None:
    rules = f"@on_action('birth', 'REGISTER')\n{RAISES}analytics('birth', fields=['child.dob'])\n"
    assert run(rules, "check", EVENT_CONFIG_URL=config_url).exit_code == 0


def test_fields_that_a_rule_adds_and_no_form_has_are_found_before_a_deployment(
    run: Callable[..., Result], config_url: str
) -> None:
    rules = (
        "@on_action('birth', 'REGISTER')\ndef one(action):\n"
        "    computed = {'computed.field': 1}\n"
        "    if action.year:\n        return Accept(declaration=computed)\n"
        "    return Accept(declaration={'child.dob': '2024-02-29', 'child.birthday': 'x'}, annotation={'dog': 1})\n"
        "@on_action('*', '*')\ndef any_of_them(action):\n    return Accept({'cat': 'Amina', 'child.dob': None})\n"
    )
    checked = run(rules, "check", EVENT_CONFIG_URL=config_url)
    assert checked.exit_code == 1
    assert [line for line in checked.stdout.splitlines() if ": no " in line] == [
        f"on_action({event!r}, {action!r}) {rule}: no form has the field {field}, so that it would be left out: "
        "correct its id, or remove it"
        for event, action, rule, field in (
            ("birth", "REGISTER", "one", "child.birthday"),
            ("birth", "REGISTER", "one", "dog"),
            ("*", "*", "any_of_them", "cat"),
        )
    ]


def test_without_the_form_of_a_declaration_nothing_is_said_of_additions(
    run: Callable[..., Result], httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/events").respond_with_json([{"id": "birth", "actions": []}])
    rules = "@on_action('birth', 'REGISTER')\n@on_action('*', '*')\ndef add(action):\n    return Accept({'cat': 1})\n"
    checked = run(rules, "check", EVENT_CONFIG_URL=httpserver.url_for("/events"))
    assert (checked.exit_code, "cat" in checked.stdout) == (0, False)


def test_what_cannot_be_checked_is_said(run: Callable[..., Result]) -> None:
    checked = run(f"@on_action('brith', 'REGISTER')\n{RAISES}", "check", EVENT_CONFIG_URL="http://127.0.0.1:1/events")
    assert checked.exit_code == 0
    assert "Not checked against the event configurations: EVENT_CONFIG_URL: no answer" in checked.stderr


@pytest.mark.parametrize(
    ("action_type", "advice"),
    [
        ("REGISTER", "yes"),
        ("DECLARE", "no: it comes with REGISTER in one submit, which fails when this one is deferred"),
        ("REJECT", "yes, but core 2.0 takes no late reject of it"),
        ("*", "not of all actions: DECLARE, EDIT and REQUEST_CORRECTION come with others in one submit"),
    ],
)
def test_it_is_listed_whether_a_rule_can_defer(run: Callable[..., Result], action_type: str, advice: str) -> None:
    checked = run(f"@on_action('birth', '{action_type}')\n{RAISES}", "check")
    assert checked.exit_code == 0
    listed = [" ".join(line.split()) for line in checked.stdout.splitlines()]
    assert f"action birth {action_type} rule {advice}" in listed
    assert "A rule that fails or takes too long defers too: see docs/rules.md." in listed


@pytest.mark.parametrize("action_type", sorted(CONFIRMABLE))
def test_of_every_action_type_it_is_known_whether_a_rule_can_defer(action_type: str) -> None:
    assert may_be_deferred(action_type).startswith(("yes", "no: "))


def test_what_core_would_refuse_is_shown_for_an_event(
    run: Callable[..., Result], config_url: str, tmp_path: Path
) -> None:
    rules = (
        "@on_action('*', '*')\ndef add(action):\n"
        "    return Accept(declaration={'child.dob': '2024-02-29', 'cat': 'Amina'}, annotation={'dog': 1})\n"
    )
    event = tmp_path / "event.json"
    event.write_text(json.dumps(question("DECLARE")))
    tried = run(rules, "try", str(event), EVENT_CONFIG_URL=config_url)
    assert tried.exit_code == 0, tried.output
    lines = tried.stdout.splitlines()
    assert lines[-3].startswith("  left out: cat of the declaration is not a field of the declaration form")
    assert lines[-2].startswith("  left out: dog of the annotation is not a field of the forms of DECLARE")
    assert lines[-1] == '200 accepted: {"declaration": {"child.dob": "2024-02-29"}}'
    assert '"cat": "Amina"' in run(rules, "try", str(event)).stdout.splitlines()[-1]
