"""All texts, where each stands, and what cannot be read of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.notifications import translations
from app.notifications.checks.problems import Severity
from app.notifications.checks.wording import Place, Wording, read
from tests.notifications.rendering import ROOT

Write = Callable[..., list[Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Directories of translations, the first one first; each is named by its files, without their .csv."""

    def make(*directories: dict[str, str]) -> list[Path]:
        made = []
        for number, files in enumerate(directories):
            made.append(tmp_path / str(number))
            made[-1].mkdir()
            for name, content in files.items():
                (made[-1] / f"{name}.csv").write_text(content, encoding="utf-8")
        return made

    return make


def words(directories: list[Path]) -> Wording:
    found, problems = read(directories, "en")
    assert problems == []
    return found


def test_texts_are_those_that_the_server_itself_reads(write: Write) -> None:
    directories = [*write({"a": "id,description,en,fr\nx,note,A,\ny,,B,C\n"}), ROOT / "translations"]
    assert words(directories).translations == translations.load(directories, "en")


def test_of_each_cell_it_is_known_where_it_stands(write: Write) -> None:
    country, ours = write({"theirs": "id,fr\n\ny,Oui\n"}, {"ours": 'id,en,fr\nx,"two\nlines",X\ny,Yes,Si\n'})
    found = words([country, ours])
    assert found.place("y", "fr") == Place(country / "theirs.csv", 3)
    assert found.place("y", "en") == Place(ours / "ours.csv", 3)
    assert found.place("x", "fr") == Place(ours / "ours.csv", 2)


def test_what_is_not_there_belongs_to_its_row_or_to_the_country(write: Write) -> None:
    country, ours = write({}, {"ours": "id,en\nx,X\n"})
    found = words([country, ours])
    assert found.place("x", "fr") == Place(ours / "ours.csv", 2)
    assert found.place("z", "fr") == Place(country, 0)


def test_a_file_that_cannot_be_read_to_its_end_hides_no_other(write: Write) -> None:
    country, ours = write(
        {"a": "id,en\nx,X\n,\n,empty\ny,Y\n", "b": "id,en\nz,Z\n"}, {"ours": "id,en\nx,1\ny,2\nz,3\n"}
    )
    found, problems = read([country, ours], "en")
    assert {text_id: texts["en"] for text_id, texts in found.translations.texts.items()} == {
        "x": "X",
        "y": "2",
        "z": "Z",
    }
    assert [(one.severity, one.file, one.row) for one in problems] == [(Severity.ERROR, str(country / "a.csv"), 4)]


def test_a_byte_order_mark_is_no_mistake(write: Write) -> None:
    (country,) = write({"a": "\ufeffid,en\nx,X\n"})
    assert words([country]).translations.texts == {"x": {"en": "X"}}


def test_a_directory_that_is_not_there_has_no_texts(tmp_path: Path) -> None:
    assert words([tmp_path / "none"]).translations.texts == {}


def test_a_copy_of_a_file_is_told_once_with_how_much_it_has_in_common(write: Write) -> None:
    rows = "id,en\nx,X\ny,Y\nz,Z\n"
    _, problems = read(write({"words": rows, "words_2": rows}), "en")
    assert [(one.row, one.what) for one in problems] == [
        (2, "x is in words.csv too, and this one counts (so it is with 3 rows)")
    ]


def test_a_row_may_have_its_languages_in_two_files(write: Write) -> None:
    (country,) = write({"en": "id,en\nx,X\n", "fr": "id,fr\nx,Y\n"})
    assert words([country]).translations.texts == {"x": {"en": "X", "fr": "Y"}}


@pytest.mark.parametrize("name", ["en", "bem", "pt-BR", "pt_BR", "zh-Hant-TW", "sr-Latn"])
def test_a_column_that_is_called_by_a_code_needs_no_word(write: Write, name: str) -> None:
    assert words(write({"a": f"id,{name}\nx,X\n"})).translations.languages == (name,)


@pytest.mark.parametrize("name", ["EN", "English", "Notes", "e", "français"])
def test_any_other_is_told_where_there_is_a_text_in_it(write: Write, name: str) -> None:
    _, problems = read(write({"a": f"id,en,{name}\nx,X,Y\n"}), "en")
    assert [(one.severity, one.row) for one in problems] == [(Severity.WARNING, 1)]
    assert repr(name) in problems[0].what
