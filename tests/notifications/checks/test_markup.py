"""Which HTML is closed as it is opened, and has a text for each picture."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.notifications.checks.markup import markup_problems


@pytest.mark.parametrize(
    "html",
    [
        "",
        "plain text, 1 < 2 & 3 > 2",
        "<p>one<p>two",
        "<ul><li>one<li>two</ul>",
        "<table><tr><td>a<td>b<tr><td>c</table>",
        "a<br>b<br/>c<hr>",
        '<p>a <b>b</b> <a href="x>y">c</a></p>',
        '<img src="x" alt="A crest">',
        '<img src="line.png" alt="">',
        "<IMG ALT=x><B>a</b>",
        "<!DOCTYPE html><html><head><title>a < b</title></head><body></body></html>",
        "<!--[if mso]><table><tr><td><![endif]-->text<!--[if mso]></td></tr></table><![endif]-->",
        "<style>p > b { color: red }</style>",
        '<svg viewBox="0 0 1 1"><path d="M0 0"/><circle r="1"/></svg>',
        "{{name}} <b>{{code}}</b>",
    ],
)
def test_what_is_right(html: str) -> None:
    assert markup_problems(html) == []


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<b>a", ["<b> is never closed"]),
        ("a</b>", ["</b> closes what was never opened"]),
        ("<b><i>a</b></i>", ["<i> is not closed before </b>", "</i> closes what was never opened"]),
        ("<table><tr><td><div>a</td></tr></table>", ["<div> is not closed before </td>"]),
        ("<b/>a", ["<b> is never closed"]),
        ("<b>a<b>", ["<b> is never closed", "<b> is never closed"]),
        ('<img src="x">', ["<img> has no alt"]),
        ('<img src="x"/>', ["<img> has no alt"]),
        ("a <b", ["“<b” never ends"]),
        ('<a href="x>a</a>', ['“<a href="x>a</a>” never ends']),
        ("<style>p {}", ["<style> is never closed"]),
        ("<!-- a", ["“<!-- a” never ends"]),
        ("<![ temp [", ["a <! has no sense"]),
    ],
)
def test_what_is_not(html: str, said: list[str]) -> None:
    found = [problem.what for problem in markup_problems(html)]
    assert len(found) == len(said)
    assert all(what.startswith(start) for what, start in zip(found, said, strict=True)), found


def test_lines_are_counted() -> None:
    found = markup_problems("a\n<b>\n\n<img>\n</i>\n<u")
    assert [problem.line for problem in found] == [4, 5, 6]


@given(st.text(st.sampled_from("<>/!-[]\"'= abtimg&#;\n") | st.characters()))
@example("<![ temp [")
@example("<!DOCTYPE [")
def test_nothing_raises(html: str) -> None:
    markup_problems(html)
