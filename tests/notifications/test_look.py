"""The colours of e-mails, a country's laid over ours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.notifications import look
from app.notifications.errors import MessageError
from app.notifications.look import BadLook
from tests.notifications.rendering import TEMPLATES, renderer, variables

OURS = look.load([TEMPLATES])


def colours(directory: Path, content: str | bytes) -> look.Look:
    octets = content.encode() if isinstance(content, str) else content
    (directory / look.FILE).write_bytes(octets)
    return look.load([directory, TEMPLATES])


def test_ours_are_the_same_names_by_day_and_by_night() -> None:
    assert list(OURS.light) == list(OURS.dark)
    assert OURS["band"] == OURS.light["band"]


def test_a_country_changes_one_and_nothing_else(tmp_path: Path) -> None:
    changed = colours(tmp_path, '[light]\naccent = "#0E6B3D"  # green\n')
    assert changed.light == {**OURS.light, "accent": "#0E6B3D"}
    assert changed.dark == OURS.dark


def test_of_several_countries_directories_the_first_wins(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / look.FILE).write_text('[dark]\ntext = "#111111"')
    (tmp_path / "b" / look.FILE).write_text('[dark]\ntext = "#222222"\nquiet = "#333333"')
    merged = look.load([tmp_path / "a", tmp_path / "none", tmp_path / "b", TEMPLATES])
    assert (merged.dark["text"], merged.dark["quiet"]) == ("#111111", "#333333")


@pytest.mark.parametrize("content", ["", "[light]", "# nothing yet\n", '\ufeff[dark]\ntext = "#eeeeee"'])
def test_what_a_text_editor_leaves_behind_is_no_mistake(tmp_path: Path, content: str) -> None:
    assert colours(tmp_path, content).light == OURS.light


def test_they_are_what_e_mails_are_painted_with(tmp_path: Path) -> None:
    (tmp_path / look.FILE).write_text('[light]\nband = "#0e6b3d"\n[dark]\nband = "#0a0b0c"')
    html = renderer(tmp_path).email("2fa", variables("2fa"), "en").html
    ours = renderer().email("2fa", variables("2fa"), "en").html
    assert "#0e6b3d" in html
    assert re.search(r"\.band \{[^}]*#0a0b0c !important", html)
    assert "#0e6b3d" not in ours


def test_every_colour_that_is_not_of_the_look_is_none_of_ours() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES.glob("*.html"))
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", sources) == []


@pytest.mark.parametrize(
    ("content", "line", "what", "cure"),
    [
        ('[light]\ntext = "#12345"', 2, "has '#12345' for text", "six digits"),
        ('[light]\ntext = "#123"', 2, "has '#123' for text", "six digits"),
        ("[light]\ntext = 7", 2, "has 7 for text", "six digits"),
        ('[dark]\n"text" = "x"', 2, "has 'x' for text in [dark]", "six digits"),
        ('dark.text = "x"', None, "has 'x' for text in [dark]", "six digits"),
        ('[light]\ntext = "#111111"\n[dark]\ntext = "x"', 4, "has 'x' for text in [dark]", "six digits"),
        ('[light]\nqqq = "#111111"', 2, "has qqq in [light]", "there are band, band_text,"),
        ('[light]\nbandtext = "#111111"', 2, "has bandtext in [light]", "did you mean band_text?"),
        ('[lihgt]\ntext = "#111111"', 1, "has lihgt outside", "below [light] or [dark]"),
        ("light = 1", 1, "has light outside", "below [light] or [dark]"),
        ('[light]\n\ntext = "#111111\nbox = 1', 3, "cannot be understood", "in a line of its own"),
        ("[light]\n[light]", 2, "cannot be understood", "in a line of its own"),
        (b'[light]\n# caf\xe9\ntext = "#111111"', None, "is not UTF-8", "save it as UTF-8"),
        ("a = " + "[" * 5_000, None, "cannot be understood", "in a line of its own"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_cure(
    tmp_path: Path, content: str | bytes, line: int | None, what: str, cure: str
) -> None:
    with pytest.raises(BadLook) as raised:
        colours(tmp_path, content)
    (fault,) = raised.value.faults
    assert raised.value.path == tmp_path / look.FILE
    assert fault.line == line
    assert what in fault.what
    assert cure in fault.cure


def test_all_mistakes_are_named_at_once_in_words_for_people(tmp_path: Path) -> None:
    with pytest.raises(MessageError) as raised:
        colours(tmp_path, '[light]\ntext = "black"\nbox = "white"\n[grey]\n')
    nothing_else = "put it below [light] or [dark]; there is nothing else"
    cure = 'write it like "#17365d": # and six digits or letters from a to f'
    assert str(raised.value).splitlines() == [
        f"{tmp_path}/look.toml, line 2, has 'black' for text in [light], which is no colour: {cure}",
        f"{tmp_path}/look.toml, line 3, has 'white' for box in [light], which is no colour: {cure}",
        f"{tmp_path}/look.toml, line 4, has grey outside of the two palettes: {nothing_else}",
    ]


def test_a_directory_of_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / look.FILE).mkdir()
    with pytest.raises(BadLook, match="cannot be read: Is a directory"):
        look.load([tmp_path, TEMPLATES])
