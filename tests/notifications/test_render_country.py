"""What a country changes: layouts, messages and languages of its own, and what it is told of its mistakes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.notifications import translations
from app.notifications.catalogue import USER_MESSAGES
from app.notifications.errors import MessageError
from app.notifications.render import CannotRender
from app.notifications.translations import Translations, UnknownText, UnknownVariable
from app.notifications.variables import variables_of
from tests.notifications.rendering import RENDERER, ROOT, WORDING, Page, rendered, renderer, variables

Country = Callable[[Mapping[str, str]], Path]


@pytest.fixture
def country(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    def write(files: Mapping[str, str]) -> Path:
        for name, content in files.items():
            (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    return write


def test_a_layout_can_extend_ours(country: Country) -> None:
    ours = '{% extends "default/layout.html" %}{% block band %}<p>Republic of Farajaland</p>{% endblock %}'
    theirs = renderer(country({"layout.html": ours}))
    text = theirs.email("2fa", variables("2fa"), "en").text
    assert text.startswith("Republic of Farajaland\n\nYour sign-in code\n\nDear Amina,")


def test_a_layout_can_take_the_place_of_ours(country: Country) -> None:
    theirs = renderer(country({"layout.html": "<p>Farajaland</p>{% block content %}{% endblock %}"}))
    for message in USER_MESSAGES:
        assert theirs.email(message, variables(message), "en").text.startswith("Farajaland\n")


def test_a_message_of_its_own_with_its_own_variables(country: Country) -> None:
    wording = translations.load([ROOT / "translations"])
    texts = {**wording.texts, "discharge.subject": {"en": "Ward {{ward}}"}, "discharge.sms": {"en": "{{ward}}!"}}
    theirs = renderer(country({"discharge.html": "<p>{{ ward }} {{ countryLogo }}"}), wording=Translations(texts))
    found = variables_of("discharge", {"recipient": {}, "ward": "<7>"})
    email = theirs.email("discharge", found, "en")
    assert email.subject == "Ward <7>"
    assert "&lt;7&gt; https://countryconfig.farajaland.test/content/country-logo" in email.html
    assert theirs.sms("discharge.sms", found, "en") == "<7>!"


def test_a_language_from_right_to_left() -> None:
    texts = {**WORDING.texts, "2fa.title": {"ar": "رمز الدخول"}, "2fa.subject": {"ar": "رمز"}}
    html = renderer(wording=Translations(texts)).email("2fa", variables("2fa"), "ar").html
    page = Page(html)
    assert page.tags[0] == ("html", {"lang": "ar", "dir": "rtl"})
    assert page.texts["h1"] == ["رمز الدخول"]


def test_the_default_language_stands_in() -> None:
    theirs = renderer(wording=Translations(WORDING.texts, "fr"))
    email = theirs.email("2fa", variables("2fa"), "xx")
    assert email == rendered("2fa", "fr")


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("{% extends 'none.html' %}", r"email/2fa.html: TemplateNotFound: none.html"),
        ("\n{% if %}", r"email/2fa.html: 2fa.html, line 2: Expected an expression"),
        ("{{ nothing }}", r"'nothing' is undefined"),
        ("{{ 1 / 0 }}", r"email/2fa.html: ZeroDivisionError"),
        ("{{ firstname.__class__.__mro__ }}", r"email/2fa.html: SecurityError"),
        ("{{ t.__globals__ }}", r"email/2fa.html: SecurityError"),
    ],
)
def test_a_wrong_template_is_named_with_its_problem(country: Country, template: str, problem: str) -> None:
    with pytest.raises(CannotRender, match=problem):
        renderer(country({"2fa.html": template})).email("2fa", variables("2fa"), "en")


def test_wording_that_is_missing_or_wrong_is_named(country: Country) -> None:
    theirs = renderer(country({"2fa.html": '{{ t("2fa.nothing") }}'}))
    with pytest.raises(UnknownText, match=r"2fa\.nothing"):
        theirs.email("2fa", variables("2fa"), "en")
    with pytest.raises(UnknownVariable, match=r"authenticationCodeNotification.*'fr'.*\{\{code\}\}"):
        theirs.sms("authenticationCodeNotification", {}, "fr")


def test_all_errors_are_message_errors() -> None:
    with pytest.raises(MessageError):
        RENDERER.email("nothing", {}, "en")


def test_a_template_that_is_changed_changes_nothing_until_the_next_start(country: Country) -> None:
    directory = country({"2fa.html": "<p>{{ code }}</p>"})
    theirs = renderer(directory)
    country({"2fa.html": "<p>{{ cdoe }}</p>", "2fa.fr.html": "<p>Bonjour</p>"})
    assert theirs.email("2fa", variables("2fa"), "en", "fr").text == "730164\n"
    with pytest.raises(CannotRender):
        renderer(directory).email("2fa", variables("2fa"), "en")


def test_what_two_languages_say_alike_is_said_once(country: Country) -> None:
    theirs = renderer(country({"2fa.html": "<p>{{ code }}</p>"}))
    assert theirs.email("2fa", variables("2fa"), "en", "fr").html.count("730164") == 1


def test_a_country_s_french_has_the_words_and_the_template_of_french(country: Country) -> None:
    theirs = renderer(country({"2fa.fr.html": "<p>Bonjour</p>"}))
    email = theirs.email("2fa", variables("2fa"), "fr-CD")
    assert (email.subject, email.text) == (rendered("2fa", "fr").subject, "Bonjour\n")
    assert theirs.sms("authenticationCodeNotification", variables("2fa"), "en", "fr-CD").count("730164") == 2
