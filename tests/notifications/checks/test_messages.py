"""What is said of a country's directory: of each mistake, where it is and how to mend it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.notifications.checks.problems import Problem
from app.notifications.sample import Sample
from tests.notifications.checks import mistakes
from tests.notifications.checks.conftest import ALL, FEW, Check, Files, checked
from tests.notifications.checks.mistakes import CSV, ERROR, LOOK, MAIL, PNG, SIMPLE, SMS, WARNING, Mistake, mail, text
from tests.notifications.rendering import ROOT, WORDING


@pytest.mark.parametrize("mistake", mistakes.ALL.values(), ids=mistakes.ALL)
def test_a_mistake_is_said_with_its_place_and_its_cure(said: Check, tmp_path: Path, mistake: Mistake) -> None:
    problems = said(mistake.files)
    where = (mistake.severity, str(tmp_path / "country" / mistake.file).rstrip("/"), mistake.row)
    there = [one for one in problems if (one.severity, one.file, one.row) == where]
    assert any(mistake.what in one.what and mistake.cure in one.cure for one in there), "\n".join(map(str, problems))
    assert mistake.severity is ERROR or not any(one.severity is ERROR for one in problems)


def test_what_is_right_needs_no_word(said: Check) -> None:
    right = {
        CSV: '\ufeffid,description,en\n2fa.title,,The <b>code</b> of Zambia\n2fa.subject,,"Your code,\nnow"\n',
        "templates/email/2fa.fr.html": SIMPLE,
        "templates/email/layout.html": '{% extends "default/layout.html" %}{% block footer %}<p>Bye</p>{% endblock %}',
        "templates/email/registered.html": '{% extends "informant.html" %}',
        LOOK: '[light]\nband = "#0e6b3d" # green\n',
        "templates/email/logo.png": PNG,
        "rules.py": "",
        "README.md": "",
    }
    assert said(right) == []


class TestLanguages:
    HALF = "id,en,bem\n2fa.title,Code,Kodi\n"

    def test_a_template_for_each_is_none_without_words(self, said: Check) -> None:
        problems = said({**mail("Hello"), "templates/email/2fa.fr.html": SIMPLE}, required=("en", "fr"))
        assert [one for one in problems if "2fa" in one.file] == []

    def test_a_language_that_nobody_requires_may_have_gaps(self, said: Check) -> None:
        assert said({CSV: self.HALF}) == []

    def test_one_that_is_required_must_have_every_text(self, said: Check) -> None:
        problems = said({CSV: self.HALF}, required=("en", "bem"))
        gaps = [one for one in problems if one.severity is ERROR]
        assert len(gaps) == len(WORDING.texts) - 1
        ours = str(ROOT / "translations" / "email.csv")
        (gap,) = [one for one in gaps if one.what == "2fa.intro has no text in bem"]
        assert (gap.file, gap.cure) == (
            ours,
            "write it into a row 2fa.intro of your own translations, in the column bem",
        )
        assert gap.row

    def test_a_gap_in_a_message_of_the_countrys_own_is_told_too(self, said: Check, own: list[Sample]) -> None:
        files = {
            CSV: "id,en,fr\ndischarge.subject,Out,\ndischarge.sms,Out,Sorti\ndischarge.more,More,\n",
            "templates/email/discharge.html": '<p>{{ t("discharge.more") }}</p>',
        }
        problems = said(files, required=("en", "fr"), few=own)
        assert sorted(one.what for one in problems if one.severity is ERROR) == [
            "discharge.more has no text in fr",
            "discharge.subject has no text in fr",
        ]

    @pytest.mark.parametrize(
        ("required", "default", "what"),
        [
            (("en", "fra"), "en", "NOTIFICATION_LANGUAGES has fra, which is no column"),
            (("en", "fr"), "fra", "DEFAULT_LANGUAGE has fra, which is no column"),
            (("fra",), "fra", "DEFAULT_LANGUAGE has fra, which is no column"),
        ],
    )
    def test_one_that_is_not_there_is_told_once_with_what_is_there(
        self, said: Check, tmp_path: Path, required: tuple[str, ...], default: str, what: str
    ) -> None:
        told = [one for one in said({"rules.py": ""}, required=required, default=default) if "fra" in one.what]
        assert [(one.severity, one.what, one.cure) for one in told] == [(ERROR, what, "did you mean fr?")]
        assert told[0].file == str(tmp_path / "country" / "translations")

    def test_a_template_without_words_to_translate_is_told(self, said: Check, tmp_path: Path) -> None:
        file = str(tmp_path / "country" / MAIL)
        (problem,) = [one for one in said(mail("Hello"), required=("en", "fr")) if one.file == file]
        assert problem.severity is WARNING
        assert problem.what == "says the same in en and fr: it asks for no text"
        assert problem.cure.endswith("or make a 2fa.fr.html too")

    def test_the_price_of_saying_all_in_several_is_told_of_the_dearest(self, said: Check) -> None:
        problems = said(text("{{code}} ، {{minutes}}" + "س" * 40, SMS, "ar"), required=("en", "ar"), few=FEW[:1])
        (price,) = [one for one in problems if "together" in one.what]
        assert price.what == f"{SMS} in en, ar together costs 2 SMS, more than any other"
        assert price.severity is WARNING


class TestWhatIsToldOfOurs:
    def test_what_our_words_cost_in_a_language_that_nobody_asked_for_is_not_told(self) -> None:
        dear = [sample for sample in ALL if sample.message.name == "birth-correction-rejected"]
        languages = ("en", "fr")
        told = [checked(few=dear, required=(language,)) for language in languages]
        assert [{"en" if " in en " in one.what else "fr" for one in problems} for problems in told] == [{"en"}, {"fr"}]

    def test_what_a_countrys_words_cost_is_told_in_any_language(self, said: Check) -> None:
        (problem,) = said(text("{{code}} {{minutes}}" + "x" * 160, SMS, "fr"))
        assert "in fr costs 2 SMS" in problem.what

    def test_they_are_not_measured_by_what_a_country_says_more(self, said: Check) -> None:
        assert said(text("Your code for {{minutes}} minutes", "2fa.title")) == []


class TestRepetition:
    @pytest.mark.parametrize("name", sorted(mistakes.CELLS))
    def test_a_mistake_in_a_cell_is_told_of_the_cell_alone(self, said: Check, name: str) -> None:
        mistake = mistakes.CELLS[name]
        told = [one for one in said(mistake.files) if "{{minutes}}" not in one.what]
        assert [(one.row, mistake.what in one.what) for one in told] == [(2, True)]

    def test_what_is_wrong_in_the_layout_is_told_once(self, said: Check) -> None:
        layout = (
            '{% extends "default/layout.html" %}{% block signature %}<p style="color:#999">Bye<i></p>{% endblock %}'
        )
        problems = said({"templates/email/layout.html": layout})
        elsewhere = [one.what.rpartition(" (")[2] for one in problems]
        assert elsewhere == ["and in 1 more: email/informant.html)", "and in 1 more)"]

    def test_a_line_that_fails_is_told_once_for_all_messages_and_languages(self, said: Check, tmp_path: Path) -> None:
        problems = said({"templates/email/parts.html": "{% macro code_box(value) %}{{ valeu }}{% endmacro %}"})
        at = [one for one in problems if "valeu" in one.what]
        assert [(one.file, one.row) for one in at] == [(str(tmp_path / "country/templates/email/parts.html"), 1)]

    def test_colours_of_the_look_are_not_told_of_each_e_mail_again(self, said: Check) -> None:
        problems = said({LOOK: '[light]\nquiet = "#cccccc"\n[dark]\nquiet = "#111111"'})
        assert sorted(one.what.split(" is")[0] for one in problems) == ["[dark] quiet #111111", "[light] quiet #cccccc"]

    def test_all_that_is_wrong_is_told_at_once(self, said: Check) -> None:
        names = ("pale-text", "single-braces", "a-template-that-fails", "a-logo-that-is-not-shown")
        made = [mistakes.ALL[name] for name in names]
        problems = said({file: content for mistake in made for file, content in mistake.files.items()})
        for mistake in made:
            assert any(mistake.what in one.what for one in problems), mistake

    def test_a_look_that_cannot_be_used_hides_nothing_of_the_words(self, said: Check) -> None:
        problems = said({**text("It is {code}"), LOOK: '[light]\nband = "navy"', MAIL: SIMPLE})
        assert {one.what.split(":")[0] for one in problems} == {
            "has 'navy' for band in [light], which is no colour",
            "2fa.intro in en",
        }


class TestRowsThatNobodyUses:
    def test_what_stands_in_them_stops_nothing(self, said: Check) -> None:
        (problem,) = said(text("<b>{nothing} {{nothing}}", "qqqq"))
        assert problem.severity is WARNING

    def test_a_text_that_a_template_names_is_used_whether_it_comes_to_that_or_not(self, said: Check) -> None:
        template = mail('{% if not code %}{{ t("zambia.hint") }}{% endif %}')
        assert said({**text("Hint", "zambia.hint"), **template}) == []

    def test_a_heading_of_the_countrys_own_message_is_used(self, said: Check, own: list[Sample]) -> None:
        files = {
            CSV: "id,en\ndischarge.subject,Out\ndischarge.sms,Out\ndischarge.title,Out\ndischarge.intro,Out\n",
            "templates/email/discharge.html": "{{ ward }}",
        }
        assert said(files, few=own) == []


class TestOwnMessages:
    def test_what_is_missing_is_named(self, said: Check, own: list[Sample], tmp_path: Path) -> None:
        problems = said({"rules.py": ""}, few=own)
        home = str(tmp_path / "country" / "translations")
        assert {(one.file, one.what) for one in problems} == {
            (home, "there is no text discharge.subject"),
            (home, "there is no text discharge.sms"),
        }

    def test_a_template_that_is_missing_is_named_with_its_path(
        self, said: Check, own: list[Sample], tmp_path: Path
    ) -> None:
        problems = said({CSV: "id,en\ndischarge.subject,Out\ndischarge.sms,Out\n"}, few=own)
        path = str(tmp_path / "country" / "templates" / "email" / "discharge.html")
        assert [(one.file, one.what) for one in problems] == [(path, "discharge has no template")]
        assert "start it with {% extends" in problems[0].cure


def test_our_own_messages_have_no_errors_in_any_language() -> None:
    problems = checked(few=ALL, required=WORDING.languages)
    assert [one for one in problems if one.severity is ERROR] == []


@pytest.mark.parametrize("closed", ["", "translations", "templates", "templates/email", CSV, MAIL, LOOK])
def test_what_cannot_be_read_is_an_error(country: Callable[[Files], Path], closed: str) -> None:
    directory = country({CSV: "id,en\n2fa.title,A\n", MAIL: SIMPLE, LOOK: ""})
    path = directory / closed
    mode = path.stat().st_mode
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("whoever runs the tests may read everything, as root may")
    try:
        problems = checked(directory)
    finally:
        path.chmod(mode)
    assert any(one.severity is ERROR and one.file == str(path) and "cannot be read" in one.what for one in problems)


@pytest.mark.parametrize("name", ["translations", "templates", "templates/email"])
def test_a_file_in_place_of_a_directory_is_an_error(said: Check, tmp_path: Path, name: str) -> None:
    problems = said({name: "", "rules.py": ""})
    assert [(one.severity, one.what) for one in problems if one.file == str(tmp_path / "country" / name)] == [
        (ERROR, "is no directory")
    ]


@pytest.mark.parametrize("name", [CSV, MAIL, LOOK, "templates/email/logo.png", "rules.py"])
def test_a_directory_in_place_of_a_file_raises_nothing(said: Check, name: str) -> None:
    said({f"{name}/x": ""})


# Pieces that mean something to one of the readers, among any others.
PIECES = st.sampled_from(
    [
        b"{{",
        b"}}",
        b"{%",
        b"%}",
        b"{#",
        b"#}",
        b"{% block content %}",
        b"{% extends 'layout.html' %}",
        b"{{ code }}",
        b"{{ t('2fa.intro') }}",
        b"<",
        b">",
        b"</",
        b"<b>",
        b"<!",
        b"<![",
        b"<!--",
        b"<style>",
        b"<style>a{",
        b"</body>",
        b"<html>",
        b"<body",
        b"<frameset>",
        b"<table>",
        b"style='color:",
        b"style='font:1em x;color:#fff'",
        b"@media",
        b"&#0;",
        b"&",
        b"id,en\n",
        b",",
        b'"',
        b"\n",
        b"\r",
        b"\0",
        b"2fa.intro,",
        b"2fa.subject,",
        b"[light]\n",
        b"text = ",
        b'"#111111"',
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        "é".encode(),
        "س".encode(),
        b"\x89PNG\r\n\x1a\n",
        b"<?xml encoding='x'?>",
    ]
)
CONTENT = st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=12).map(b"".join)
NAMES = [
    CSV,
    "translations/email.csv",
    MAIL,
    "templates/email/layout.html",
    "templates/email/parts.html",
    LOOK,
    "templates/email/logo.png",
    "templates/email/2fa.fr.html",
]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(st.sampled_from(NAMES), CONTENT, min_size=1, max_size=3))
@example(files={MAIL: b""})
@example(files={MAIL: b"<![ temp ["})
@example(files={MAIL: b"&#0;<?xml version='1.0' encoding='x'?>\0"})
@example(files={"templates/email/layout.html": b"<frameset>", LOOK: b"a = " + b"[" * 5000})
def test_whatever_is_in_the_files_nothing_raises(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    directory = tmp_path_factory.mktemp("country")
    for name, content in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(content)
    problems = checked(directory, required=("en", "fr"), few=FEW[:1])
    assert all(isinstance(one, Problem) and one.what and one.cure for one in problems)
