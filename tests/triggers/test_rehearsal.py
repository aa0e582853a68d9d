"""A country's broken message stops the start, not a person's notification."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.composition.messages import stop_if_messages_are_broken
from app.settings import Settings
from app.triggers.rehearsal import BrokenMessages

RULES = """
from app.country import fields, trigger
trigger("hospital/discharge", fields={"ward": fields.String(required=True)}, message="hospital-discharge")
"""
TEMPLATE = '{% extends "layout.html" %}{% block content %}<p>{{ ward }}</p>{% endblock %}'
WORDING = 'id,description,en,fr\nhospital-discharge.subject,,Discharge,\nhospital-discharge.sms,,"From {{ward}}",\n'

Start = Callable[..., None]


@pytest.fixture
def start(make_settings: Callable[..., Settings], tmp_path: Path) -> Start:
    """What a worker does first, for a country with these files."""

    def make(template: str | None = TEMPLATE, wording: str = WORDING, **environ: str) -> None:
        country = tmp_path / "country"
        (country / "templates" / "email").mkdir(parents=True)
        (country / "translations").mkdir()
        (country / "rules.py").write_text(RULES)
        (country / "translations" / "ours.csv").write_text(wording)
        if template is not None:
            (country / "templates" / "email" / "hospital-discharge.html").write_text(template)
        stop_if_messages_are_broken(make_settings(COUNTRY_DIR=str(country), **environ))

    return make


@pytest.mark.parametrize("methods", ["email", "sms", "email,sms", ""])
def test_a_message_as_the_readme_shows_it_starts(start: Start, methods: str) -> None:
    start(USER_NOTIFICATION_DELIVERY_METHOD=methods)


@pytest.mark.parametrize(
    ("template", "wording", "said"),
    [
        (None, WORDING, "hospital-discharge.html"),
        ("{% if %}", WORDING, "line 1"),
        ("{{ no_such_thing }}", WORDING, "no_such_thing"),
        (TEMPLATE, WORDING.replace("subject", "topic"), "hospital-discharge.subject"),
        (TEMPLATE, WORDING.replace("{{ward}}", "{{wrad}}"), "wrad"),
    ],
    ids=["no-template", "syntax", "unknown-variable", "no-subject", "misspelt-placeholder"],
)
def test_a_mistake_stops_the_start_and_is_named(start: Start, template: str | None, wording: str, said: str) -> None:
    with pytest.raises(BrokenMessages, match=said):
        start(template, wording, USER_NOTIFICATION_DELIVERY_METHOD="email,sms")


def test_all_mistakes_are_said_at_once(start: Start) -> None:
    with pytest.raises(BrokenMessages) as raised:
        start(None, WORDING.replace(".sms", ".text"), USER_NOTIFICATION_DELIVERY_METHOD="email,sms")
    assert "hospital-discharge.html" in str(raised.value)
    assert "hospital-discharge.sms" in str(raised.value)


def test_a_language_without_any_text_is_refused(start: Start) -> None:
    with pytest.raises(BrokenMessages, match="DEFAULT_LANGUAGE"):
        start(DEFAULT_LANGUAGE="xx")
