"""The text part: readable, and true to what the HTML part says."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inscriptis.model.html_document_state import HtmlDocumentState
from markupsafe import escape

from app.notifications.email.plain_text import plain_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        (" \n ", ""),
        ("<!-- nothing -->", ""),
        ("plain", "plain"),
        ("<h1>One</h1><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("<p>a</p><br><br><br><p>b</p>", "a\n\nb"),
        ("<head><title>t</title><style>p {}</style></head><p>a</p><script>b</script>", "a"),
        ('<div style="display:none">secret</div><p>seen</p>', "seen"),
        ('<p style="margin-bottom: 99999999em">a</p><p style="padding-left: 9999999em">b</p>', "a\n\nb"),
        ("<table><tr><td>\n <table><tr><td> a </td></tr></table> </td><td>b</td></tr></table>", "a\nb"),
        ("<table><tr><th>Name</th><th>Age</th></tr><tr><td>Amina</td><td>3</td></tr></table>", "Name | Age\nAmina | 3"),
        ("<p>Your code</p><code>  12  34 </code>", "Your code\n\n      12  34 "),
        ("<ul><li>a</li><li>b</li></ul>", "  * a\n  * b"),
        ("&amp;lt; &lt;b&gt; &amp;copy; &copy; a&amp;b", "&lt; <b> &copy; © a&b"),
        ("a\x00\x01\x1b\ud800b", "a?b"),
    ],
)
def test_what_html_becomes(html: str, text: str) -> None:
    assert plain_text(html) == f"{text}\n"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (
            '<p>See <a href="https://a.test/?b=1&amp;copy=2">our page</a>.</p>',
            "See our page <https://a.test/?b=1&copy=2>.",
        ),
        ('<p><a href="https://a.test">Sign in</a></p>', "Sign in: https://a.test"),
        ('<p><a href="https://a.test">https://a.test</a></p>', "https://a.test"),
        (
            '<div><a href="https://a.test">Sign in</a></div><div><a href="https://a.test">https://a.test</a></div>',
            "Sign in\nhttps://a.test",
        ),
        ('<p>Ask <a href="mailto:a@b.test">a@b.test</a></p>', "Ask a@b.test"),
        ('<p><a href="#top">Top</a> <a>none</a> <a href="page">here</a></p>', "Top none here"),
    ],
)
def test_the_target_of_a_link_can_be_read(html: str, text: str) -> None:
    assert plain_text(html) == f"{text}\n"


@pytest.mark.parametrize(
    "html", ["<div>" * 1500 + "deep", "<" * 10_000, "<a href=x:y>" * 500, "<td>" * 500, "&" * 10_000]
)
def test_any_html_becomes_some_text(html: str) -> None:
    assert plain_text(html).endswith("\n")


def test_what_is_nested_too_deep_is_still_read() -> None:
    assert plain_text("<style>p {}</style>" + "<div>" * 1500 + "&lt;deep&gt;") == "<deep>\n"


def test_of_a_table_in_a_table_each_has_headings_of_its_own() -> None:
    inner = "<table><tr><th>Name</th><th>Age</th></tr><tr><td>Amina</td><td>3</td></tr></table>"
    assert plain_text(f"<table><tr><td>a</td><td>{inner}</td></tr></table>") == "a\nName | Age\nAmina | 3\n"
    outer = "<table><tr><th>a</th><th><table><tr><td>b</td><td>c</td></tr></table></th></tr></table>"
    assert plain_text(outer) == "a |\nb\nc\n"


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<table><tr><td>" * 600 + "<i>a</i>" * 300_000, id="tables in tables"),
        pytest.param("<blockquote>" * 400 + "<p>a</p>" * 100_000, id="quotes in quotes"),
        pytest.param("<ul><li>" * 400 + "<p>a</p>" * 100_000, id="lists in lists"),
    ],
)
def test_hostile_html_takes_neither_long_nor_much(html: str) -> None:
    began = time.process_time()
    text = plain_text(html)
    assert time.process_time() - began < 5
    assert len(text) < 10_000_000


def test_of_very_long_html_the_beginning_is_read() -> None:
    text = plain_text("<p>first</p>" + "<p>more</p>" * 200_000 + "<p>last</p>")
    assert text.startswith("first\n")
    assert text.endswith("\n\n[…]\n")
    assert "last" not in text


def test_deep_quotes_are_still_quotes() -> None:
    assert plain_text("<blockquote>" * 20 + "a") == " " * 4 * 8 + "a\n"


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), min_size=1))
def test_a_code_arrives_as_written(code: str) -> None:
    assert plain_text(f"<p>Code</p><code>{escape(code)}</code>") == f"Code\n\n    {code}\n"


def test_two_messages_at_once_keep_their_texts_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is held where its conversion has begun, until the second is in the middle of its own."""
    first_has_begun, second_goes_on = threading.Event(), threading.Event()
    apply = HtmlDocumentState.apply_starttag_layout

    def held(state: HtmlDocumentState, tag: str, attributes: object) -> None:
        if threading.current_thread() is first and tag == "html":
            first_has_begun.set()
            assert second_goes_on.wait(60)
        elif threading.current_thread() is not first and tag == "p":
            second_goes_on.set()
            first.join()
        apply(state, tag, attributes)

    monkeypatch.setattr(HtmlDocumentState, "apply_starttag_layout", held)
    texts: list[str] = []
    first = threading.Thread(target=lambda: texts.append(plain_text("<p>Your password is alpha-51</p>")))
    first.start()
    assert first_has_begun.wait(60)
    assert plain_text("<p>Dear Bwalya</p>") == "Dear Bwalya\n"
    assert texts == ["Your password is alpha-51\n"]
