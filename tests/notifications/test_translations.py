"""The wording: reading it, laying a country's over ours, and putting variables into it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from app.notifications.translations import (
    BadTranslationFile,
    Translations,
    UnknownText,
    UnknownVariable,
    load,
    substitute,
)

OURS = Path(__file__).parents[2] / "translations"


def write(directory: Path, name: str, content: str | bytes) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("path", sorted(OURS.glob("*.csv")), ids=lambda path: path.name)
def test_our_files_say_everything_in_every_language_and_explain_it(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    assert [row["id"] for row in rows if not all(row.values())] == []


def test_our_languages() -> None:
    assert load([OURS]).languages == ("ar", "en", "es", "fr", "pt", "sw")


class TestFallback:
    texts = Translations({"a": {"en": "E", "fr": "F", "pt": "P"}, "b": {"en": "E", "fr": "F"}, "c": {"en": "E"}}, "fr")

    @pytest.mark.parametrize(
        ("text_id", "language", "expected"), [("a", "pt", "P"), ("b", "pt", "F"), ("c", "pt", "E"), ("b", "", "F")]
    )
    def test_language_then_default_then_english(self, text_id: str, language: str, expected: str) -> None:
        assert self.texts.text(text_id, language) == expected

    @pytest.mark.parametrize(("text_id", "expected"), [("a", "P"), ("b", "F")])
    def test_a_language_of_one_place_has_the_words_of_the_language(self, text_id: str, expected: str) -> None:
        assert self.texts.text(text_id, "pt-BR") == expected

    def test_the_language_that_it_will_be_in(self) -> None:
        assert [self.texts.language_of(text_id, "pt") for text_id in "abc"] == ["pt", "fr", "en"]

    def test_unknown_id_is_named(self) -> None:
        with pytest.raises(UnknownText, match=r"no text 'd' in pt or fr or en"):
            self.texts.text("d", "pt")

    def test_a_text_in_no_language_that_would_do_is_unknown(self) -> None:
        with pytest.raises(UnknownText):
            Translations({"a": {"pt": "P"}}).text("a", "fr")


class TestOverlay:
    @pytest.fixture
    def ours(self, tmp_path: Path) -> Path:
        return write(
            tmp_path / "ours", "email.csv", "id,description,en,fr\na,,our a,notre a\nb,,our b,notre b\n"
        ).parent

    def test_a_country_replaces_cells_and_leaves_the_rest(self, ours: Path, tmp_path: Path) -> None:
        theirs = write(tmp_path / "theirs", "x.csv", "id,fr,pt\na,leur a,\nb,  ,seu b\nc,leur c,\n").parent
        found = load([theirs, ours], "en")
        assert found.texts == {
            "a": {"en": "our a", "fr": "leur a"},
            "b": {"en": "our b", "fr": "notre b", "pt": "seu b"},
            "c": {"fr": "leur c"},
        }

    def test_a_directory_that_is_not_there_changes_nothing(self, ours: Path, tmp_path: Path) -> None:
        assert load([tmp_path / "none", ours]) == load([ours])

    def test_byte_order_mark_line_ends_of_windows_and_blank_rows_are_taken(self, tmp_path: Path) -> None:
        content = b'\xef\xbb\xbfid, en \r\n\r\na,"one\r\ntwo"\r\n,\r\nshort\r\n'
        directory = write(tmp_path / "t", "a.csv", content).parent
        assert load([directory]).texts == {"a": {"en": "one\r\ntwo"}, "short": {}}

    def test_a_notification_file_as_countries_have_it_works_unchanged(self, tmp_path: Path) -> None:
        content = (
            "id,description,en,fr\n"
            "authenticationCodeNotification,For 2FA,Your {{applicationName}} code is {{authCode}},Code {{authCode}}\n"
            "resetPasswordLinkNotification,A link,{{applicationName}}: {{{recoveryURL}}},\n"
            "birthInProgressNotification,For informants,Birth {{trackingId}} of {{ name }},Naissance {{trackingId}}\n"
        )
        theirs = write(tmp_path / "theirs", "notification.csv", content).parent
        found = load([theirs, OURS])
        variables = {"applicationName": "Farajaland CRS", "authCode": "123456"}
        said = found.filled("authenticationCodeNotification", "en", variables, escape=False)
        assert said == "Your Farajaland CRS code is 123456"
        variables["recoveryURL"] = "https://login.test/recover?token=a%2B&lang=en"
        said = found.filled("resetPasswordLinkNotification", "en", variables, escape=False)
        assert said == "Farajaland CRS: https://login.test/recover?token=a%2B&lang=en"
        assert found.text("resendInviteNotification", "en") == load([OURS]).text("resendInviteNotification", "en")


@pytest.mark.parametrize(
    ("content", "row", "problem"),
    [
        (b"id,en\na,x\nb,\xe9t\xe9\n", 3, "not UTF-8"),
        ("id,en\na,one, two\n", 2, "more cells than columns"),
        ("id,en\na,x\na,y\n", 3, "'a' is there twice"),
        ("id,en\na,x\n,y\n", 3, "under `id` is empty"),
        ('id,en\na,x\nb,"never closed\nc,z\n', 3, "unexpected end of data"),
        ("id|en\na|x\n", 1, "no column is called `id`"),
        ("id,en,en\n", 1, "the same name"),
        ("id,description\n", 1, "no column is a language"),
        ("", 1, "no column is called `id`"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_row(tmp_path: Path, content: str | bytes, row: int, problem: str) -> None:
    path = write(tmp_path / "t", "wrong.csv", content)
    with pytest.raises(BadTranslationFile, match=problem) as raised:
        load([path.parent])
    assert (raised.value.path, raised.value.row) == (path, row)
    assert str(raised.value).startswith(f"{path}, row {row}: ")


@pytest.mark.parametrize(
    "content",
    [
        "id;description;en\na;;one, two\n",
        "id\tdescription\ten\na\t\tone, two\n",
        'sep=;\n"id";"description";"en"\na;;one, two\n',
        'sep=,\r\nid,description,en\r\na,,"one, two"\r\n',
        'description,en,id\n,"one, two",a\n',
    ],
)
def test_columns_are_separated_as_spreadsheet_programs_of_any_country_do_it(tmp_path: Path, content: str) -> None:
    path = write(tmp_path / "t", "ours.csv", content)
    assert load([path.parent]).texts["a"] == {"en": "one, two"}


def test_rows_are_counted_behind_a_line_that_names_the_separator(tmp_path: Path) -> None:
    path = write(tmp_path / "t", "ours.csv", "sep=;\nid;en\na;x\na;y\n")
    with pytest.raises(BadTranslationFile) as raised:
        load([path.parent])
    assert raised.value.row == 4


class TestSubstitute:
    def test_spaces_in_the_braces_do_not_matter(self) -> None:
        assert substitute("{{a}} {{ a }} {{a\t}} {a} }}", {"a": "x"}, escape=False) == "x x x {a} }}"

    @given(value=st.text() | st.sampled_from(["{{b}}", "{{ 7*191 }}", "{% raise %}", "<script>", "\\1", "&lt;"]))
    def test_values_arrive_as_written(self, value: str) -> None:
        assert substitute("<{{a}}>", {"a": value, "b": "!"}, escape=False) == f"<{value}>"

    @given(value=st.text())
    def test_escaped_values_arrive_as_written_when_the_markup_is_read(self, value: str) -> None:
        found = substitute("<b>{{a}}</b>", {"a": value}, escape=True)
        assert isinstance(found, Markup)
        assert found == Markup("<b>{}</b>").format(value)

    @pytest.mark.parametrize(
        ("text", "variable"),
        [("{{b}}", "b"), ("{{ a.b }}", "a.b"), ("{{a", "a"), ("{{#if a}}x{{/if}}", "#if a"), ("{{}}", "")],
    )
    def test_what_is_no_variable_is_refused(self, text: str, variable: str) -> None:
        with pytest.raises(UnknownVariable) as raised:
            substitute(f"x {text}", {"c": "c"}, escape=False)
        assert raised.value.variable == variable

    def test_the_error_names_id_language_and_variable(self) -> None:
        with pytest.raises(UnknownVariable, match=r"the text 'a' in 'en' uses \{\{b\}\}") as raised:
            Translations({"a": {"en": "{{b}}"}}).filled("a", "fr", {}, escape=False)
        assert (raised.value.text_id, raised.value.language, raised.value.variable) == ("a", "en", "b")


@pytest.mark.parametrize("name", ["._ours.csv", ".#ours.csv", "~ours.csv"])
def test_what_other_programs_leave_behind_is_not_read(tmp_path: Path, name: str) -> None:
    write(tmp_path, "ours.csv", "id,en\na,A\n")
    write(tmp_path, name, b"\x00\x05\x16\x07")
    assert load([tmp_path]).text("a", "en") == "A"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "ours.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(BadTranslationFile, match=r"ours\.csv, row 1: cannot be read: No such file"):
        load([tmp_path])
