"""A country's logo: which file it is, and how it comes into an e-mail."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml.html import document_fromstring

from app.notifications import logo, look
from app.notifications.errors import MessageError
from app.notifications.logo import LARGEST, BadLogo, Image, Logo
from app.notifications.render import Names, RenderedEmail, Renderer
from app.settings import LogoMode
from tests.notifications.rendering import TEMPLATES, WORDING, variables

PNG = b"\x89PNG\r\n\x1a\nxyz"
JPEG = b"\xff\xd8\xff\xe0xyz"
GIF = b"GIF89axyz"
LINK = "https://countryconfig.farajaland.test/content/country-logo"


def loaded(*directories: Path, mode: LogoMode = LogoMode.EMBEDDED) -> Logo:
    return logo.load([*directories, TEMPLATES], mode, LINK)


def email(of: Logo, *languages: str) -> RenderedEmail:
    names = Names("OpenCRVS", "https://login.farajaland.test", "https://register.farajaland.test")
    return Renderer([TEMPLATES], WORDING, look.load([TEMPLATES]), of, names).email("2fa", variables("2fa"), *languages)


def pictures(html: str) -> list[dict[str, str]]:
    return [dict(element.attrib) for element in document_fromstring(html).iter("img")]


@pytest.mark.parametrize(
    ("name", "subtype", "content"), [("png", "png", PNG), ("jpg", "jpeg", JPEG), ("gif", "gif", GIF)]
)
def test_a_file_of_the_country_goes_along(tmp_path: Path, name: str, subtype: str, content: bytes) -> None:
    (tmp_path / f"logo.{name}").write_bytes(content)
    found = loaded(tmp_path)
    assert found == Logo("cid:logo@country-config", True, Image("logo@country-config", subtype, content))


def test_of_several_directories_the_first_that_has_one_wins(tmp_path: Path) -> None:
    for name, content in (("a/logo.gif", GIF), ("b/logo.png", PNG)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(content)
    found = loaded(tmp_path / "none", tmp_path / "a", tmp_path / "b").image
    assert found is not None
    assert found.subtype == "gif"


@pytest.mark.parametrize("name", ["logo.svg", "logo.jpeg", "LOGO.PNG", "crest.png"])
def test_a_file_of_another_name_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PNG)
    assert loaded(tmp_path) == Logo(LINK, shown=False)


@pytest.mark.parametrize(("mode", "shown"), [(LogoMode.LINKED, True), (LogoMode.NONE, False)])
def test_where_it_does_not_go_along_the_file_is_not_even_read(tmp_path: Path, mode: LogoMode, shown: bool) -> None:
    (tmp_path / "logo.png").write_bytes(b"broken")
    assert loaded(tmp_path, mode=mode) == Logo(LINK, shown)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is no PNG picture"),
        (b"<svg/>", "is no PNG picture"),
        (JPEG, "is no PNG picture"),
        (PNG + bytes(LARGEST), "has 200 kB"),
    ],
)
def test_one_that_would_not_be_shown_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    with pytest.raises(BadLogo, match=problem) as raised:
        loaded(tmp_path)
    assert isinstance(raised.value, MessageError)
    assert str(tmp_path / "logo.png") in str(raised.value)


def test_one_of_the_largest_size_is_taken(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PNG.ljust(LARGEST, b"\0"))
    assert loaded(tmp_path).shown


def test_the_picture_is_not_in_the_repr() -> None:
    assert "xyz" not in repr(Image("a", "png", PNG))


class TestInEmails:
    def test_an_embedded_one_goes_along_and_is_named_by_its_content_id(self) -> None:
        image = Image("logo@country-config", "png", PNG)
        made = email(Logo("cid:logo@country-config", True, image), "en")
        (shown,) = pictures(made.html)
        assert (shown["src"], shown["alt"]) == ("cid:logo@country-config", "OpenCRVS")
        assert made.images == (image,)

    def test_a_linked_one_is_fetched_and_nothing_goes_along(self) -> None:
        made = email(Logo(LINK, shown=True), "en")
        assert [shown["src"] for shown in pictures(made.html)] == [LINK]
        assert made.images == ()

    def test_without_one_the_name_stands_in_its_place(self) -> None:
        made = email(Logo(LINK, shown=False), "en")
        assert pictures(made.html) == []
        assert made.images == ()
        assert made.text.startswith("OpenCRVS\n")

    def test_in_several_languages_it_is_there_once(self) -> None:
        image = Image("logo@country-config", "png", PNG)
        made = email(Logo("cid:logo@country-config", True, image), "en", "fr")
        assert len(pictures(made.html)) == 1
        assert made.images == (image,)
