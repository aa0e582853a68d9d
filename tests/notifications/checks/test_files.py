"""Whether the files of a country are where they are looked for, and of use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.notifications.catalogue import INFORMANT_MESSAGES, USER_MESSAGES, Message
from app.notifications.checks import files
from app.notifications.checks.problems import Problem
from tests.notifications.checks.conftest import Files
from tests.notifications.rendering import ROOT

MESSAGES = [*USER_MESSAGES.values(), *INFORMANT_MESSAGES.values(), Message("discharge", None)]


@pytest.fixture
def told(country: Callable[[Files], Path]) -> Callable[[Files], list[Problem]]:
    return lambda files_: list(files.problems([country(files_), ROOT], MESSAGES, ["en", "fr", "pt-BR"]))


@pytest.mark.parametrize(
    "name",
    [
        "2fa.html",
        "2fa.fr.html",
        "2fa.pt-BR.html",
        "layout.html",
        "layout.fr.html",
        "parts.html",
        "informant.html",
        "registered.html",
        "registered.fr.html",
        "birth-registered.html",
        "discharge.html",
        "decision-open.html",
        "look.toml",
        "logo.png",
        "logo.jpg",
        "logo.gif",
        ".DS_Store",
        "~$layout.html",
    ],
)
def test_a_file_that_is_used_needs_no_word(told: Callable[[Files], list[Problem]], name: str) -> None:
    assert told({f"templates/email/{name}": ""}) == []


@pytest.mark.parametrize(
    "how", ["extends 'x.html'", 'include "x.html"', "import 'x.html' as x", "from 'x.html' import y"]
)
def test_nor_does_one_that_another_names(told: Callable[[Files], list[Problem]], how: str) -> None:
    assert told({"templates/email/x.html": "", "templates/email/2fa.html": f"{{% {how} %}}"}) == []


@pytest.mark.parametrize(
    "name",
    [
        "2af.html",
        "2fa.htm",
        "2fa.html.bak",
        "2fa.de.html",
        "2fa.English.html",
        "x.html",
        "look.tml",
        "logo.svg",
        "logo.jpeg",
        "Logo.png",
        "logo.PNG",
        "crest.png",
    ],
)
def test_any_other_file_is_told(told: Callable[[Files], list[Problem]], name: str, tmp_path: Path) -> None:
    assert [one.file for one in told({f"templates/email/{name}": ""})] == [
        str(tmp_path / "country" / "templates" / "email" / name)
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("translation", "translations"), ("Templates", "templates"), ("rule.py", "rules.py"), ("template", "templates")],
)
def test_a_mistyped_name_at_the_top_is_told(told: Callable[[Files], list[Problem]], name: str, meant: str) -> None:
    assert f"did you mean {meant}?" in [one.cure for one in told({f"{name}/x": ""})]


def test_a_file_of_another_kind_at_the_top_is_left_alone(told: Callable[[Files], list[Problem]]) -> None:
    assert told({"rules.py": "", "README.md": "", "sms/gateway.toml": "", "tests/x.py": ""}) == []


@pytest.mark.parametrize("name", ["ours.xlsx", "ours.CSV", "ours.ods", "ours.txt"])
def test_a_table_that_is_not_read_is_told(told: Callable[[Files], list[Problem]], name: str) -> None:
    (problem,) = told({f"translations/{name}": ""})
    assert problem.cure == "save it as CSV UTF-8, with a name that ends in .csv"


def test_what_is_quoted_in_templates_is_found_in_all_that_can_be_read(country: Callable[[Files], Path]) -> None:
    made = country({"templates/email/a.html": "{{ t('x.y') }} \"z\"", "templates/email/b.html": b"\xff 'no'"})
    assert files.quoted([made, made / "none"]) == {"x.y", "z"}
