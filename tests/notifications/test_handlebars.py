"""Handlebars templates written as Jinja: what Handlebars itself rendered is what our own renderer renders."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from app.notifications.handlebars_jinja import convert
from tests.notifications.rendering import renderer

# Each rendered by Handlebars 4.7.10: {"template", "variables", "expected"}.
FILE = Path(__file__).parent / "handlebars-cases.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").strip().split("\n")]
# The two write different entities for these characters; Jinja leaves the last two as they are.
ENTITIES = {"&quot;": "&#34;", "&#x27;": "&#39;", "&#x60;": "`", "&#x3D;": "="}

Render = Callable[[str, Mapping[str, str]], str]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Convert a template, and render it as that of a country's message."""

    def rendered(template: str, variables: Mapping[str, str]) -> str:
        converted = convert(template, variables.keys())
        assert converted.jinja is not None, converted.obstacles
        (tmp_path / "2fa.html").write_text(converted.jinja, encoding="utf-8", newline="")
        return renderer(tmp_path).page("2fa", variables, "en").html

    return rendered


def said(template: str, *known: str) -> list[tuple[int, int, str]]:
    """Of each obstacle, where it is and the beginning of what is said."""
    return [(one.place.line, one.place.column, one.what) for one in convert(template, known).obstacles]


def same(html: str) -> str:
    """One spelling of what means the same in HTML."""
    for entity, other in ENTITIES.items():
        html = html.replace(entity, other)
    return html.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("case", CASES, ids=[str(number) for number in range(len(CASES))])
def test_it_renders_what_handlebars_renders(case: dict[str, Any], render: Render) -> None:
    html, expected = same(render(case["template"], case["variables"])), same(case["expected"])
    if "{{{" in case["template"] or "{{~{" in case["template"]:
        html, expected = unescape(html), unescape(expected)  # ours is escaped: a test of its own
    assert html == expected


def test_there_are_enough_cases() -> None:
    assert len({case["template"] for case in CASES}) > 150


def test_raw_values_are_escaped_all_the_same_and_a_note_says_so(render: Render) -> None:
    assert render("{{{name}}} {{~{ name }~}}", {"name": "<b>&"}) == "&lt;b&gt;&amp;&lt;b&gt;&amp;"
    (note,) = convert("\n {{{name}}}{{name}}", ["name"]).notes
    assert (note.place.line, note.place.column) == (2, 2)
    assert note.what.startswith("{{{name}}} became {{ name }}")
    assert "{{ name|safe }}" in note.cure


def test_values_are_never_read_as_templates(render: Render) -> None:
    assert render("{{name}}", {"name": "{{ 7 * 7 }}{% if %}"}) == "{{ 7 * 7 }}{% if %}"


def test_comments_stay_for_those_who_write_templates() -> None:
    assert convert("{{! who made it }}a{{!-- #} --}}", []).jinja == "{# who made it #}a{# # } #}"


def test_what_a_person_would_write_by_hand_comes_out() -> None:
    template = "<ul>\n  {{#if code}}\n  <li>{{code}}</li>\n  {{else}}\n  <li>none</li>\n  {{/if}}\n</ul>"
    jinja = "<ul>\n  {% if code %}\n  <li>{{ code }}</li>\n  {% else %}\n  <li>none</li>\n  {% endif %}\n</ul>"
    assert convert(template, ["code"]).jinja == jinja


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("{{#each x}}{{/each}}", "{{#each x}} is a list"),
        ("{{#unless x}}{{/unless}}", "{{#unless x}} is a condition the other way round"),
        ("{{^x}}{{/x}}", "{{^x}} is a condition the other way round"),
        ("{{#with x}}{{/with}}", "{{#with x}} is a block other than {{#if}}"),
        ("{{#x}}{{/x}}", "{{#x}} is a block other than {{#if}}"),
        ("{{#if x y}}{{/if}}", "{{#if x y}} asks for more than a variable"),
        ("{{#if (eq x y)}}{{/if}}", "{{#if (eq x y)}} asks for more than a variable"),
        ("{{#if x.y}}{{/if}}", "{{#if x.y}} asks for more than a variable"),
        ("{{#if}}{{/if}}", "{{#if}} names no variable"),
        ("{{upper x}}", "{{upper x}} is a helper"),
        ("{{{upper x}}}", "{{{upper x}}} is a helper"),
        ("{{upper\n  x}}", "{{upper x}} is a helper"),
        ("{{(x)}}", "{{(x)}} is a helper"),
        ("{{> header}}", "{{> header}} takes in another file"),
        ("{{~> header~}}", "{{~> header~}} takes in another file"),
        ('{{#*inline "x"}}{{/inline}}', '{{#*inline "x"}} is a decorator'),
        ("{{x.y}}", "{{x.y}} is a path"),
        ("{{../x}}", "{{../x}} is a path"),
        ("{{this.x}}", "{{this.x}} is a path"),
        ("{{./x}}", "{{./x}} is a path"),
        ("{{@root.x}}", "{{@root.x}} is a variable of Handlebars itself"),
        ("{{&x}}", "{{&x}} puts a variable in as it is"),
        ('{{"x"}}', '{{"x"}} is a quoted name'),
        ("{{[x]}}", "{{[x]}} is a quoted name"),
        ("{{{{x}}}}", "{{{{x}}}} is a raw block"),
        ("{{ #if x}}", "{{ #if x}} has a space after its braces"),
        ("{{x}}}", "{{x}}} has more braces on one side"),
        ("{{{x}}", "{{{x}} has more braces on one side"),
        ("{{}}", "{{}} is nothing that Handlebars knows"),
        ("{{x", "“{{x” is never closed"),
        ("{{! x", "the comment is never closed"),
        ("{{!-- x }}", "the comment is never closed"),
        ("{{#if x}}", "{{#if}} is never closed"),
        ("{{/if}}", "{{/if}} closes what is not open"),
        ("{{else}}", "{{else}} stands outside of {{#if}}"),
        ("{{y}}", "this message has no variable {{y}}"),
        ("{{{y}}}", "this message has no variable {{y}}"),
        ("{{#if y}}{{/if}}", "this message has no variable {{y}}"),
        ("{{this}}", "this message has no variable {{this}}"),
        ("{{first-name}}", "this message has no variable {{first-name}}"),
    ],
)
def test_what_is_beyond_messages_is_told_with_its_place_and_not_guessed(tag: str, what: str) -> None:
    converted = convert(f"é\r\n  {tag}", ["x"])
    assert converted.jinja is None
    (obstacle,) = converted.obstacles
    assert (obstacle.place.line, obstacle.place.column) == (2, 3)
    assert obstacle.what.startswith(what)
    assert obstacle.cure


def test_a_chain_of_conditions_is_told_of() -> None:
    ((line, column, what),) = said("{{#if x}}a\n{{else if y}}b{{else}}c{{/if}}", "x", "y")
    assert (line, column, what) == (2, 1, "{{else if y}} is a chain of conditions")


def test_a_second_else_is_told_of() -> None:
    ((_, column, what),) = said("{{#if x}}{{else}}{{else}}{{/if}}", "x")
    assert (column, what) == (18, "{{#if}} has a second {{else}}")


def test_blocks_that_cross_are_told_of() -> None:
    assert [what for _, _, what in said("{{#if x}}{{/each}}", "x")] == [
        "{{#if}} is never closed",
        "{{/each}} closes what is not open",
    ]


def test_all_obstacles_are_told_at_once_in_their_order() -> None:
    found = said("{{y}}\n{{#each x}}{{else}}{{/each}} {{x and {{z.z}}\n{{#if x}}", "x")
    assert [(line, column) for line, column, _ in found] == [(1, 1), (2, 1), (2, 30), (2, 38), (3, 1)]


def test_a_tag_ends_with_its_own_braces() -> None:
    assert [what for _, _, what in said("{{upper x}} b } c }} d", "x")] == ["{{upper x}} is a helper, which is code"]


def test_a_long_tag_is_told_of_in_short() -> None:
    ((_, _, what),) = said(f"{{{{upper {'x ' * 200}}}}}")
    assert len(what) < 100


def test_the_cure_names_the_variable_that_was_meant() -> None:
    (obstacle,) = convert("{{firstName}}", ["name", "firstNames", "firstname"]).obstacles
    assert obstacle.cure == "did you mean {{firstname}}?"
    (obstacle,) = convert("{{groomName}}", ["name", "firstNames"]).obstacles
    assert obstacle.cure == "leave it out; there are firstNames, name"


@pytest.mark.parametrize("depth", [50, 51])
def test_conditions_are_as_deep_as_jinja_can_do(depth: int, render: Render) -> None:
    template = "{{#if x}}" * depth + "x" + "{{/if}}" * depth
    if depth == 50:
        assert render(template, {"x": "1"}) == "x"
    else:
        assert [what for _, _, what in said(template, "x")] == ["{{#if}} stands inside of 50 others"]
