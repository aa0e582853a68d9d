"""Templates of Handlebars render the same text with Jinja; what is not understood is said with its place."""

from __future__ import annotations

import json
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from app.notifications.handlebars_jinja import convert

# Each rendered by Handlebars 4.7 itself: {"template", "variables", "expected"}.
CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "handlebars-cases.jsonl").read_text(encoding="utf-8").rstrip().split("\n")
]
VARIABLES = ("name", "code", "reason")

JINJA = ImmutableSandboxedEnvironment(
    autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)  # as messages are rendered


def rendered(template: str, variables: dict[str, str]) -> str:
    converted = convert(template, variables)
    assert converted.jinja is not None, converted.obstacles
    return JINJA.from_string(converted.jinja).render(variables)


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_a_reader_sees_the_same(case: dict[str, Any]) -> None:
    # Of one character the two may write different entities, and Jinja ends lines with \n alone.
    expected = unescape(case["expected"]).replace("\r\n", "\n")
    assert unescape(rendered(case["template"], case["variables"])) == expected


@pytest.mark.parametrize(
    ("template", "places"),
    [
        ("a\n  {{#unless code}}x{{/unless}}", [(2, 3)]),
        ("{{#each names}}{{this}}{{/each}}", [(1, 1)]),
        ("{{> header}}", [(1, 1)]),
        ("{{name.first}}", [(1, 1)]),
        ("{{../name}}", [(1, 1)]),
        ("{{@root.name}}", [(1, 1)]),
        ("{{upper name}}", [(1, 1)]),
        ("{{&name}}", [(1, 1)]),
        ("{{#if (eq name code)}}x{{/if}}", [(1, 1)]),
        ("{{#if name}}x", [(1, 1)]),
        ("x{{/if}}", [(1, 2)]),
        ("x{{else}}y", [(1, 2)]),
        ("x\n\nname: {{nmae}}", [(3, 7)]),
        ("{{#if adress}}x{{/if}}", [(1, 1)]),
        ("{{{{raw}}}} {{name}} {{{{/raw}}}}", [(1, 1)]),
        ("Dear {{name", [(1, 6)]),
        ("p{ {{code}}}", [(1, 4)]),
        ("{{> a}}\n{{b.c}}\n{{d}}", [(1, 1), (2, 1), (3, 1)]),
    ],
)
def test_what_is_not_understood_is_never_guessed(template: str, places: list[tuple[int, int]]) -> None:
    found = convert(template, VARIABLES)
    assert found.jinja is None
    assert [(one.place.line, one.place.column) for one in found.obstacles][: len(places)] == places
    assert all(one.what and one.cure for one in found.obstacles)


def test_what_people_wrote_never_becomes_html() -> None:
    assert rendered("{{{name}}} {{name}}", {"name": "<script>"}) == "&lt;script&gt; &lt;script&gt;"
