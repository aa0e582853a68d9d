"""Patterns that meet text of strangers take time in proportion to its length, whatever the text.

A new regular expression belongs into this list if core, a client, a provider, a mail server or a country's file can
choose what it reads. The hostile texts repeat what the pattern begins with and never end it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

import pytest

from app.cli import incoming_request
from app.console import frames
from app.environment.domains import MAILBOX
from app.masking import mask
from app.notifications import handlebars, handlebars_jinja, joining, render, translations
from app.notifications.checks import branches, cells, contrast, emails, files
from app.notifications.email import connection, mime, plain_text
from app.notifications.errors import MessageError
from app.notifications.sms import templates
from app.opencrvs import answers
from app.records import form_values, formats
from app.records.formats import is_date, is_uuid
from app.retry_after import pause
from app.triggers import email_variables, infrastructure_alerts
from app.url_parsing import ForbiddenUrl, target_of
from app.webhooks import forms, json_logic_values
from tests.growth import assert_linear

Read = Callable[[str], object]


def search(pattern: re.Pattern[str]) -> Read:
    return lambda text: sum(1 for _ in pattern.finditer(text))


def substitute(text: str) -> None:
    with suppress(MessageError):
        translations.substitute(text, {}, escape=True)


def target(text: str) -> None:
    with suppress(ForbiddenUrl):
        target_of(text, allow_http=True)


def placeholders(text: str) -> None:
    with suppress(ValueError):
        templates.form(text)


def join(text: str) -> None:
    joining.joined_pages([text, text])


MEDIA = "@media (prefers-color-scheme: dark)"
BLANK = (" ", "\t", "\n", " \n", "\u2028", "\u00a0")
READERS: list[tuple[str, Read, tuple[str, ...], tuple[str, ...]]] = [
    (
        "mask",
        mask,
        ("", "+", "Bearer ", "a@"),
        ("a", "1", "1 ", "@", "a@", "eyJ", "eyJ-", "eyJ.", "token=", "%25", "token%25"),
    ),
    ("retry_after", lambda text: pause(text, 60), ("",), ("1", " ", "a ", "Mon, ")),
    (
        "url",
        target,
        ("", "https://", "https://[", "https://a:"),
        ("a", "1", ".", "a.", "[", ":", "-", "0x", "@", "/", " "),
    ),
    ("mailbox", MAILBOX.fullmatch, ("", "a@", "<"), ("a", " ", "a.", "<", "@", "a@", "a <")),
    ("uuid", is_uuid, ("", "0"), ("0", "-", "0-")),
    ("date", is_date, ("",), ("0", "-", "0-")),
    ("date-time", formats.is_date_time, ("", "2026-01-01T00:00:00."), ("0", "-", "0-", ":")),
    ("e-mail field", form_values._is_email, ("", "a@", "a@a."), ("a", ".", "a.", "-", "a-", "'")),
    ("tRPC answer", lambda text: answers._A_RESULT(text.encode()), ("", "[", "[{", '[{"result"'), BLANK),
    ("header value", forms._HEADER_VALUE.fullmatch, ("", "a"), ("a", " ", "a ")),
    ("reserved header", forms._OURS.fullmatch, ("", "webhook-"), ("a", "-", "webhook-")),
    ("filter number", json_logic_values._NUMBER.fullmatch, ("", "1.", "1e"), ("1", "1.", ".", "1e", "+")),
    ("alert attributes", infrastructure_alerts._words_in_tag, ("", "<a "), ("a ", "'", '"', "a='", " ", "/")),
    (
        "request head",
        lambda text: incoming_request._LENGTH.findall(text.encode()),
        ("", "\r\ncontent-length:"),
        ("\r\n", " ", "1", "\r\ncontent-length:", "\r\ncontent-length: 1 "),
    ),
    ("alert variables", search(email_variables._PLACEHOLDER), ("", "{{"), ("{{", "{{ ", " ", "{{ DOMAIN ")),
    ("mail address", connection._ADDRESS.fullmatch, ("", "a@"), ("a", ".", "a.", "@", "a@")),
    ("mail fold", search(mime._FOLD), ("",), ("a", " ", "a ", "  ")),
    ("plain text blank lines", search(plain_text._MANY_BLANK_LINES), ("", "\n"), BLANK),
    (
        "plain text styles",
        search(plain_text._STYLE),
        ("", "display"),
        ("display", "display ", " ", ":", "margin-top:1"),
    ),
    ("page blank lines", search(render._BLANK_LINES), ("", "\n"), BLANK),
    ("substitute", substitute, ("", "{{", "{{{", "{{a"), ("{", "{{", "{{{", "a", "a ", "{{ a ", "}", *BLANK)),
    ("gateway placeholders", placeholders, ("", "{{", "a={{"), ("{", "{{", "{{a ", "a", "a ", "}", *BLANK)),
    (
        "join pages",
        join,
        ("", "<body>", "<html "),
        ("<html ", "<body>", "<body ", "</body>", "</body ", "<style>", "</style ", "</head ", "lang= ", *BLANK),
    ),
    (
        "handlebars",
        handlebars.read,
        ("", "{{", "{{!", "{{#if "),
        ("{", "{{", "{{ ", "{{a ", "{{!", "{{!--", "}", "~", "\\{{", "\\", "a", *BLANK),
    ),
    ("handlebars to Jinja", lambda text: handlebars_jinja.convert(text + "x{{/if}}", []), ("", "{{#if a}}"), BLANK),
    (
        "handlebars white space",
        lambda text: handlebars_jinja._settled(handlebars.read(text + "x{{~#if a}}{{/if}}")[0]),
        ("", "\n"),
        BLANK,
    ),
    ("cell placeholders", search(cells._PLACEHOLDER), ("", "{{", "{{{"), ("{", "{{ ", "a", "{{a ", *BLANK)),
    ("cell braces", search(cells._BROKEN), ("", "{"), ("{", "}", "a", "{a ", *BLANK)),
    ("cell markup", search(cells._MARKUP), ("", "<a"), ("<", "<a", "<a ", "&", "&a", "&#1")),
    ("cell script", search(cells._SCRIPT), ("", "on"), ("on", "onx ", "a", "<script", *BLANK)),
    ("css declarations", search(contrast._DECLARATION), ("", "color:"), ("a", "-", "a ", "a:", *BLANK)),
    (
        "css colours",
        contrast.colour_of,
        ("", "rgb(", "rgb(1"),
        ("rgb(", "rgb(1 ", "rgb(1,1,1", "#", "#fff", "a", ",", *BLANK),
    ),
    ("css sizes", search(contrast._SIZE), ("", "1."), ("1", "1.", ".", "1p")),
    (
        "css dark mode",
        search(emails._MEDIA),
        ("", MEDIA, MEDIA + "{"),
        ("@media ", MEDIA, "{", "{}", "a{}", "@media{a{}", "a"),
    ),
    (
        "css dark scheme",
        search(emails._DARK_SCHEME),
        ("", "prefers-color-scheme"),
        ("prefers-color-scheme", "prefers-color-scheme: ", *BLANK),
    ),
    (
        "template tags",
        search(branches._TAG),
        ("", "<style>"),
        ("<", "<a ", "<!--", "<style>", "<style ", "&", "&a", "</style"),
    ),
    ("template names", search(files._NAMED), ("", "from '"), ("from ", "from '", "from 'a", "'", *BLANK)),
    (
        "frame schemes",
        search(frames._SCHEME),
        ("", "( prefers-color-scheme"),
        ("(", "( ", "( prefers-color-scheme : ", *BLANK),
    ),
    (
        "frame declarations",
        search(frames._DECLARED),
        ("", "<meta "),
        ("<meta ", '<meta name="color-scheme" ', 'name="color-scheme" ', "a"),
    ),
    ("frame pictures", search(frames._FROM_ELSEWHERE), ("", "<img "), ("<img ", "<img src=", " src=", "a")),
]
CASES = [
    pytest.param(read, first, fragment, id=f"{name}: {first!r} {fragment!r}")
    for name, read, beginnings, fragments in READERS
    for first in beginnings
    for fragment in fragments
]


@pytest.mark.parametrize(("read", "first", "fragment"), CASES)
def test_a_hostile_text_takes_linear_time(read: Read, first: str, fragment: str) -> None:
    assert_linear(lambda size: read(first + fragment * (size // len(fragment)) + "\0"))
