"""One message in several languages, and a language's own template."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import document_fromstring

from app.notifications.joining import joined_pages
from app.notifications.render import RenderedEmail
from app.notifications.translations import Translations
from tests.notifications.rendering import WORDING, renderer, variables

# French has some of the texts, Bemba has a title alone, and Arabic has all.
TEXTS = {
    **{text_id: {"en": texts["en"], "ar": f"ع {texts['en']}"} for text_id, texts in WORDING.texts.items()},
    "2fa.subject": {"en": "Your code", "fr": "Votre code", "ar": "رمز"},
    "2fa.title": {"en": "Your code", "fr": "Votre code", "ar": "رمز", "bem": "Kodi"},
    "authenticationCodeNotification": {"en": "Code {{code}}", "fr": "Le code {{code}}", "ar": "{{code}}"},
}


def email(*languages: str, countries: tuple[Path, ...] = ()) -> RenderedEmail:
    return renderer(*countries, wording=Translations(TEXTS)).email("2fa", variables("2fa"), *languages)


def headings(made: RenderedEmail) -> list[str]:
    return [str(one.text_content()) for one in document_fromstring(made.html).iter("h1")]


class TestAnEmail:
    def test_languages_stand_below_each_other_in_the_order_asked_for(self) -> None:
        assert headings(email("ar", "en", "fr")) == ["رمز", "Your code", "Votre code"]

    def test_it_is_one_page_with_one_band_and_the_code_in_each_part(self) -> None:
        made = email("en", "fr")
        page = document_fromstring(made.html)
        assert [len(list(page.iter(tag))) for tag in ("html", "head", "title", "body", "style")] == [1] * 5
        assert made.html.count('class="band"') == 1
        assert [code.text for code in page.iter("code")] == ["730164", "730164"]

    def test_the_subject_says_all_and_none_twice(self) -> None:
        assert email("en", "fr").subject == "Your code / Votre code"
        assert email("en", "en").subject == "Your code"

    def test_the_text_part_says_all_with_a_line_between(self) -> None:
        english, line, french = email("en", "fr").text.partition(f"\n{'_' * 40}\n\n")
        assert line
        assert english.startswith("OpenCRVS\n\nYour code\n")
        assert french.startswith("Votre code\n")

    def test_each_part_has_its_language_and_direction(self) -> None:
        page = document_fromstring(email("en", "ar").html)
        assert (page.get("lang"), page.get("dir")) == ("en", "ltr")
        spoken = [next(one.iterancestors("div")).attrib for one in page.iter("h1")]
        assert [(one["lang"], one["dir"]) for one in spoken] == [("en", "ltr"), ("ar", "rtl")]

    def test_so_it_has_where_a_countrys_layout_says_so_in_its_head_alone(self, tmp_path: Path) -> None:
        (tmp_path / "layout.html").write_text(
            '<html lang="{{ this.language }}" dir="{{ this.direction }}"><h1>{{ this.subject }}</h1></html>'
        )
        page = document_fromstring(email("en", "ar", countries=(tmp_path,)).html)
        _, arabic = page.iter("h1")
        assert dict(arabic.getparent().attrib) == {"lang": "ar", "dir": "rtl"}

    def test_only_the_part_on_top_knows_that_it_is_first(self, tmp_path: Path) -> None:
        (tmp_path / "2fa.html").write_text("<p>{{ this.language }} {{ this.first }}</p>")
        assert email("fr", "en", "ar", countries=(tmp_path,)).text.split() == [
            *("fr", "True", "_" * 40, "en", "False", "_" * 40, "ar", "False")
        ]

    def test_a_language_in_which_another_one_would_stand_in_is_left_out_where_that_is_there_anyway(self) -> None:
        assert headings(email("bem", "en")) == ["Your code"]
        assert headings(email("en", "bem")) == ["Your code"]
        assert headings(email("sw", "zu")) == ["Your code"]

    def test_one_language_is_as_it_was(self) -> None:
        (alone,) = headings(email("fr"))
        assert alone == "Votre code"
        assert "_" * 40 not in email("fr").text


class TestAnSms:
    def test_languages_stand_in_lines_and_none_is_said_twice(self) -> None:
        made = renderer(wording=Translations(TEXTS))
        given_ = variables("2fa", code="12")
        assert made.sms("authenticationCodeNotification", given_, "fr", "en") == "Le code 12\nCode 12"
        assert made.sms("authenticationCodeNotification", given_, "bem", "en", "zu") == "Code 12"


class TestALanguagesOwnTemplate:
    def test_it_wins_in_that_language_and_no_other(self, tmp_path: Path) -> None:
        (tmp_path / "2fa.fr.html").write_text("<h1>À la main {{ code }}</h1>")
        assert headings(email("fr", countries=(tmp_path,))) == ["À la main 730164"]
        assert headings(email("en", countries=(tmp_path,))) == ["Your code"]
        assert headings(email("en", "fr", countries=(tmp_path,))) == ["Your code", "À la main 730164"]

    def test_it_wins_over_one_for_all_in_the_same_directory(self, tmp_path: Path) -> None:
        (tmp_path / "2fa.fr.html").write_text("<h1>À la main</h1>")
        (tmp_path / "2fa.html").write_text("<h1>By hand</h1>")
        assert headings(email("fr", "en", countries=(tmp_path,))) == ["À la main", "By hand"]

    @pytest.mark.parametrize(
        ("files", "taken"),
        [
            (["registered.html"], "registered.html"),
            (["registered.html", "registered.fr.html"], "registered.fr.html"),
            (["registered.fr.html", "birth-registered.html"], "birth-registered.html"),
            (["birth-registered.html", "birth-registered.fr.html"], "birth-registered.fr.html"),
            (["birth-registered.en.html", "informant.fr.html"], "informant.fr.html"),
        ],
    )
    def test_of_news_the_nearest_name_wins(self, tmp_path: Path, files: list[str], taken: str) -> None:
        for file in files:
            (tmp_path / file).write_text("")
        assert renderer(tmp_path).file_of("birth-registered", "fr") == str(tmp_path / taken)


class TestPages:
    def test_a_style_that_only_a_later_page_has_goes_along_once(self) -> None:
        one, two = "<style>a{}</style>", "<STYLE media=x>b{}</STYLE>"
        pages = [f"<html><head>{one}</head><body>{text}</body></html>" for text in "123"]
        pages[1] = pages[1].replace("</head>", f"{two}</head>")
        pages[2] = pages[2].replace(one, two)
        joined = joined_pages(pages)
        assert (joined.count(one), joined.count(two)) == (1, 1)
        assert document_fromstring(joined).find("body").text_content() == "12\n3\n"

    def test_a_backslash_in_a_page_is_a_backslash(self) -> None:
        assert r"\1 \g<0>" in joined_pages(["<head></head><body></body>", r"<style>\1</style><body>\1 \g<0></body>"])

    def test_what_is_no_whole_page_goes_along_as_it_is(self) -> None:
        assert joined_pages(["a", "b", "<p>c</p>"]) == "a\nb\n<p>c</p>"

    @given(st.lists(st.text(st.sampled_from("<>/bodyheastl= ") | st.characters()), min_size=1, max_size=3))
    def test_nothing_raises(self, pages: list[str]) -> None:
        joined_pages(pages)
        joined_pages([f"<head></head><body>{page}</body>" for page in pages])
