"""What can be read on what, in any HTML and in the colours that we ship."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications import look
from app.notifications.checks.colours import WRITTEN_ON, problems, too_close
from app.notifications.checks.contrast import Colour, colour_of, contrast, too_faint
from app.notifications.look import Look
from tests.notifications.rendering import TEMPLATES

OURS = look.load([TEMPLATES])
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def pairs(html: str) -> list[tuple[str, str]]:
    return [(faint.colour, faint.behind) for faint in too_faint(html)]


class TestContrast:
    @pytest.mark.parametrize(
        ("one", "other", "ratio"),
        [  # as the WCAG working group's own examples and tools have them
            (BLACK, WHITE, 21.0),
            (WHITE, WHITE, 1.0),
            ((0x76, 0x76, 0x76), WHITE, 4.54),
            ((0x77, 0x77, 0x77), WHITE, 4.48),
            ((255, 0, 0), WHITE, 4.0),
            ((0, 0, 255), WHITE, 8.59),
        ],
    )
    def test_it_is_that_of_wcag(self, one: Colour, other: Colour, ratio: float) -> None:
        assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
        assert contrast(other, one) == contrast(one, other)


class TestColours:
    @pytest.mark.parametrize(
        ("written", "colour"),
        [
            ("#fff", WHITE),
            ("#FFFFFF !important", WHITE),
            (" #17365D ", (0x17, 0x36, 0x5D)),
            ("rgb(1, 2, 3)", (1, 2, 3)),
            ("rgb(1 2 3 / 100%)", (1, 2, 3)),
            ("rgba(300, 2, 3, 1)", (255, 2, 3)),
            ("White", WHITE),
            ("lightgrey", (211, 211, 211)),
            ("1px solid black", BLACK),
        ],
    )
    def test_the_usual_ways_of_writing_one(self, written: str, colour: Colour) -> None:
        assert colour_of(written) == colour

    @pytest.mark.parametrize(
        "written", ["", "#ffff", "#12345678", "rgba(0,0,0,.5)", "currentColor", "rebeccapurple", "hsl(1 2% 3%)"]
    )
    def test_what_cannot_be_told_is_none(self, written: str) -> None:
        assert colour_of(written) is None


class TestTexts:
    @pytest.mark.parametrize(
        "html",
        [
            "",
            "<p>black on white</p>",
            '<p style="color:#fff;background:#000">white on black</p>',
            '<div bgcolor="#000000"><p style="color:white">the background is around it</p></div>',
            '<p style="color:#949494;font-size:24px">large</p>',
            '<p style="color:#949494;font-size:18pt">large</p>',
            '<div style="font-size:12px"><p style="color:#949494;font-size:2em">large</p></div>',
            '<h1 style="color:#949494">large</h1>',
            '<p style="color:#949494;font:700 19px Arial">large and bold</p>',
            '<p style="color:#949494;font-size:120%"><b>large and bold</b></p>',
            '<p style="color:#eee;background:url(x.png)">on a picture</p>',
            '<p style="color:#eee;background:linear-gradient(#000,#111)">on a gradient</p>',
            '<p style="color:currentColor">unknown</p>',
            '<p style="display:none;color:#eee">hidden</p>',
            '<div style="opacity:0"><p style="color:#eee">hidden</p></div>',
            '<p style="visibility: hidden; color:#eee">hidden</p>',
            '<style>p { color: #eee }</style><title style="color:#eee">never seen</title>',
            '<p style="color:#eee"> \n </p>',
            '<p style="color:#eee"><span style="color:#000">all of it is black</span></p>',
        ],
    )
    def test_what_can_be_read(self, html: str) -> None:
        assert too_faint(html) == []

    @pytest.mark.parametrize(
        ("html", "found"),
        [
            ('<p style="color:#bbb">x</p>', ("#bbbbbb", "#ffffff")),
            ('<font color="#bbbbbb">x</font>', ("#bbbbbb", "#ffffff")),
            ('<p style="color:#bbb"><b>x</b></p>', ("#bbbbbb", "#ffffff")),
            ('<p style="color:#949494;font-size:23px">x</p>', ("#949494", "#ffffff")),
            (
                '<p style="color:#949494;font-size:24px"><span style="font-size:50%">x</span></p>',
                ("#949494", "#ffffff"),
            ),
            ('<table bgcolor="#444444"><tr><td>x</td></tr></table>', ("#000000", "#444444")),
            ('<div style="background:#223344"><a href="x">x</a></div>', ("#0000ee", "#223344")),
            ('<p style="background:#223344"><span style="background:transparent">x</span></p>', ("#000000", "#223344")),
            (
                '<p><b>x</b><span style="color:#000">y</span></p><p style="color:#ccc"><i></i>the tail</p>',
                ("#cccccc", "#ffffff"),
            ),
            ('<p style="opacity:0.9;color:#ccc">x</p>', ("#cccccc", "#ffffff")),
        ],
    )
    def test_what_cannot(self, html: str, found: tuple[str, str]) -> None:
        assert pairs(html) == [found]

    def test_a_pair_is_told_once_with_the_first_text_that_has_it(self) -> None:
        (faint,) = too_faint('<p style="color:#777">First  text</p><p style="color:#777">second</p>')
        assert (faint.text, faint.ratio, faint.enough) == ("First text", 4.4, 4.5)

    def test_elements_may_be_nested_as_deeply_as_anybody_likes(self) -> None:
        depth = 5_000
        html = "<div>" * depth + '<p style="color:#bbb">x</p>' + "</div>" * depth
        assert too_faint(html) in ([], too_faint('<p style="color:#bbb">x</p>'))

    @given(st.text())
    def test_nothing_raises(self, html: str) -> None:
        too_faint(html)
        too_faint(f'<p style="{html}">x</p>')


class TestTheLook:
    @pytest.mark.parametrize("palette", [OURS.light, OURS.dark], ids=["light", "dark"])
    @pytest.mark.parametrize(
        ("written", "behind"), [(one, behind) for one, all_ in WRITTEN_ON.items() for behind in all_]
    )
    def test_ours_can_be_read(self, palette: look.Palette, written: str, behind: str) -> None:
        front, back = colour_of(palette[written]), colour_of(palette[behind])
        assert front is not None
        assert back is not None
        assert contrast(front, back) >= 4.5

    def test_all_that_is_written_is_looked_at(self) -> None:
        looked_at = {(one, behind) for one, all_ in WRITTEN_ON.items() for behind in all_}
        assert {
            ("text", "card"),
            ("quiet", "card"),
            ("text", "box"),
            ("quiet", "box"),
            ("heading", "card"),
        } <= looked_at
        assert {("band_text", "band"), ("accent_text", "accent"), ("accent", "card")} <= looked_at

    def test_there_is_a_shade_to_take_in_place_of_one_that_cannot_be_read(self) -> None:
        pale = Look({**OURS.light, "text": "#c0c8d0"}, OURS.dark)
        assert list(too_close(pale.light)) == [("text", "card"), ("text", "box")]
        (problem,) = problems(pale, [TEMPLATES])
        shade = problem.cure.split('"')[1]
        mended = Look({**OURS.light, "text": shade}, OURS.dark)
        assert list(too_close(mended.light)) == []

    def test_where_no_shade_will_do_the_background_is_to_be_changed(self) -> None:
        torn = Look({**OURS.light, "card": "#ffffff", "box": "#555555"}, OURS.dark)
        cures = {problem.what.split()[1]: problem.cure for problem in problems(torn, [TEMPLATES])}
        assert cures["text"] == "make box lighter or darker"
