"""JSON Logic: what rules come to, which are refused, and that none takes long.

json_logic_cases.json is the suite of JSON Logic's author, https://jsonlogic.com/tests.json, as it is in the source
distribution of pretix on PyPI (src/tests/helpers/jsonlogic-tests.json). The file names no licence; json-logic-js, whose
tests read it, is by the same author under the MIT licence.
"""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.webhooks.json_logic import DEEPEST, MOST_PARTS, InvalidLogic, LogicTooExpensive, compile_logic, truthy
from app.webhooks.json_logic_operators import OPERATORS

CASES = [
    case
    for case in json.loads((Path(__file__).parent / "json_logic_cases.json").read_bytes())
    if isinstance(case, list)
]


def test_the_official_suite_is_whole() -> None:
    assert len(CASES) == 275


@pytest.mark.parametrize(("rule", "data", "expected"), CASES)
def test_a_rule_of_the_official_suite_comes_to_what_it_says(rule: Any, data: Any, expected: Any) -> None:
    value = compile_logic(rule)(data)
    assert value == expected
    assert isinstance(value, bool) is isinstance(expected, bool)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"==": [None, 0]}, False),
        ({"==": [None, None]}, True),
        ({"==": ["", 0]}, True),
        ({"==": [" 12\n", 12]}, True),
        ({"==": ["0x10", 16]}, True),
        ({"==": ["1_0", 10]}, False),
        ({"==": ["\u0661", 1]}, False),
        ({"==": [True, "1"]}, True),
        ({"==": [True, "true"]}, False),
        ({"==": [[1], 1]}, True),
        ({"==": [[1, 2], "1,2"]}, True),
        ({"==": [[1], [1]]}, False),
        ({"==": [[[]], ""]}, True),
        ({"===": [1, 1.0]}, True),
        ({"===": [1, True]}, False),
        ({"===": [None, False]}, False),
        ({"<": [None, 1]}, True),
        ({"<": ["10", "9"]}, True),
        ({"<": ["10", 9]}, False),
        ({"<": ["a", 1]}, False),
        ({">=": ["a", 1]}, False),
        ({"<=": [0, None, 0]}, True),
        ({"+": ["3.5 kg", 1]}, 4.5),
        ({"+": ["1e3", ".5"]}, 1000.5),
        ({"*": ["2", "3"]}, 6),
        ({"-": "3"}, -3),
        ({"-": [True, None]}, 1),
        ({"/": [1, 0]}, math.inf),
        ({"/": [-1, 0]}, -math.inf),
        ({"%": [-5, 3]}, -2),
        ({"max": ["3", None, True]}, 3),
        ({"cat": [1.0, None, True, [1, [2, None]], 0.5]}, "1true1,2,0.5"),
        ({"cat": [1e21, " ", 1e-7, " ", 123456789012345680000]}, "1e+21 1e-7 123456789012345680000"),
        ({"substr": ["jsonlogic", -5]}, "logic"),
        ({"substr": ["jsonlogic", 4, -2]}, "log"),
        ({"substr": ["jsonlogic", "4", 99]}, "logic"),
        ({"substr": ["jsonlogic", -99, 4]}, "json"),
        ({"substr": ["jsonlogic", "x"]}, "jsonlogic"),
        ({"in": [1, ["1", True, 1]]}, True),
        ({"in": [1, ["1", True]]}, False),
        ({"in": [12, "3124"]}, True),
        ({"in": ["a", None]}, False),
        ({"in": ["", ""]}, False),
        ({"!!": "0"}, True),
        ({"log": "apple"}, "apple"),
    ],
)
def test_values_are_converted_as_javascript_does(rule: Any, expected: Any) -> None:
    assert compile_logic(rule)(None) == expected


@pytest.mark.parametrize(
    "rule", [{"+": ["x", 1]}, {"/": [0, 0]}, {"%": [1, 0]}, {"max": [1, "x"]}, {"-": [{"var": ""}]}]
)
def test_what_is_no_number_is_not_true(rule: Any) -> None:
    value = compile_logic(rule)({})
    assert math.isnan(value)
    assert not truthy(value)


@pytest.mark.parametrize("value", [None, False, 0, 0.0, -0.0, math.nan, "", []])
def test_these_are_not_true(value: Any) -> None:
    assert truthy(value) is False


@pytest.mark.parametrize("value", [True, 1, -0.5, math.inf, "0", "false", [0], {}, {"a": 1}])
def test_these_are_true(value: Any) -> None:
    assert truthy(value) is True


DOTTED = {
    "data": {
        "declaration": {
            "child.dob": "2020-01-01",
            "child": {"name": "Ada"},
            "mother.name": {"first.name": "Bea", "first": None},
            "father.name": {"first": "Cai"},
            "father": {"name": {"last": "Dee"}},
            "nil": None,
        },
        "changed": [{"child.dob": 1}],
    }
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data.declaration.child.dob", "2020-01-01"),
        ("data.declaration.child.name", "Ada"),
        ("data.declaration.mother.name.first.name", "Bea"),
        ("data.declaration.mother.name.first", None),
        ("data.declaration.father.name.first", "Cai"),
        ("data.declaration.father.name.last", "Dee"),
        ("data.changed.0.child.dob", 1),
        ("data.changed.length", 1),
        ("data.declaration.child.age", "none"),
        ("data.declaration.nil", None),
        ("data.declaration.nil.dob", "none"),
        ("data..declaration", "none"),
    ],
)
@pytest.mark.parametrize("as_text", [lambda path: path, lambda path: {"cat": path}], ids=["written", "made"])
def test_keys_with_dots_in_them_are_found(as_text: Any, path: str, expected: Any) -> None:
    assert compile_logic({"var": [as_text(path), "none"]})(DOTTED) == expected


def test_the_longest_key_holds() -> None:
    data = {"a.b": {"c": "two and one"}, "a": {"b.c": "one and two"}, "a.b.c": "three"}
    assert compile_logic({"var": "a.b.c"})(data) == "three"
    del data["a.b.c"]
    assert compile_logic({"var": "a.b.c"})(data) == "two and one"


def test_missing_finds_keys_with_dots_too() -> None:
    fields = ["data.declaration.child.dob", "data.declaration.child.age", "data.declaration.nil"]
    assert compile_logic({"missing": fields})(DOTTED) == fields[1:]
    assert compile_logic({"missing_some": [1, fields]})(DOTTED) == []
    assert compile_logic({"missing_some": [2, fields]})(DOTTED) == fields[1:]


@pytest.mark.parametrize(
    ("rule", "path", "message"),
    [
        ({"equals": [1, 2]}, ["equals"], "no such operator; these are: var missing"),
        ({"and": [True, {"!": {"or": [{"is": 1}]}}]}, ["and", 1, "!", "or", 0, "is"], "no such operator"),
        ({"in": ["a", ["b", {"vra": "c"}]]}, ["in", 1, 1, "vra"], "no such operator"),
        ({"==": [1, 1], "in": [1, [1]]}, [], "one key, its operator, and this has 2"),
        ({"and": [{}]}, ["and", 0], "this has 0"),
        ({"==": [1]}, ["=="], "takes 2 arguments, and here are 1"),
        ({"==": {"var": "a"}}, ["=="], "takes 2 arguments, and here are 1"),
        ({"and": [{"<": [1, 2, 3, 4]}]}, ["and", 0, "<"], "takes 2 to 3 arguments, and here are 4"),
        ({"!": [1, 2]}, ["!"], "takes 1 argument, and here are 2"),
        ({"or": []}, ["or"], "takes 1 or more arguments, and here are 0"),
        ({"map": [{"var": "a"}]}, ["map"], "takes 2 arguments"),
        ({"in": [1, list(range(MOST_PARTS))]}, ["in", 1, MOST_PARTS - 3], "more than 1000 parts"),
    ],
)
def test_a_rule_that_cannot_be_meant_so_is_refused_with_the_place(rule: Any, path: list[Any], message: str) -> None:
    with pytest.raises(InvalidLogic, match=message) as refused:
        compile_logic(rule)
    assert refused.value.path == path


def test_rules_are_nested_only_so_deep() -> None:
    rule: Any = 0
    for _ in range(DEEPEST - 1):
        rule = {"!": rule}
    assert compile_logic(rule)({}) is True
    with pytest.raises(InvalidLogic, match="deeper than 50 levels") as refused:
        compile_logic([rule])
    assert refused.value.path == [0, *["!"] * (DEEPEST - 1)]
    with pytest.raises(InvalidLogic):
        compile_logic(json.loads("[" * 900 + "]" * 900))


EACH = {"var": ""}
TWICE = [{"var": "accumulator"}, {"var": "accumulator"}]
MANY = list(range(300))
LONG = "x" * 200_000


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ({"map": [EACH, {"map": [EACH, 1]}]}, [MANY] * 1_000),
        ({"reduce": [EACH, {"cat": TWICE}, "xx"]}, MANY),
        ({"reduce": [EACH, {"merge": TWICE}, [1]]}, MANY),
        ({"reduce": [EACH, {"var": "current"}]}, MANY * 200),
        ({"map": [EACH, {"cat": [EACH]}]}, [[None] * 10_000] * 200),
        ({"cat": [{"reduce": [EACH, TWICE, "x"]}]}, MANY),
        ({"cat": [{"reduce": [EACH, [{"var": "accumulator"}], "x"]}]}, MANY * 30),
        ({"map": [EACH, {"in": ["y", EACH]}]}, [LONG] * 2_000),
        ({"map": [EACH, {"in": [1, EACH]}]}, [[{}] * 10_000] * 2_000),
        ({"map": [EACH, {"<": [EACH, 1]}]}, ["1" * 200_000] * 2_000),
        ({"map": [EACH, {"substr": [EACH, 1]}]}, [LONG] * 2_000),
        ({"map": [EACH, {"var": [EACH]}]}, ["a." * 100_000] * 2_000),
        ({"map": [EACH, {"var": [EACH]}]}, [LONG] * 2_000),
        ({"map": [EACH, {"var": ".".join("0" * 5_000)}]}, ["0"] * 2_000),
        ({"map": [EACH, {"missing": EACH}]}, [MANY] * 1_000),
        ({"var": "a." * 20_000}, {"a": {"b": 1}}),
    ],
)
def test_what_takes_long_is_stopped(rule: Any, data: Any) -> None:
    evaluate = compile_logic(rule)
    began = time.monotonic()
    with pytest.raises(LogicTooExpensive, match="loop over less"):
        evaluate(data)
    assert time.monotonic() - began < 60


def test_each_evaluation_has_its_own_steps() -> None:
    evaluate = compile_logic({"some": [EACH, {"==": [EACH, -1]}]})
    for _ in range(5):
        assert evaluate(MANY * 80) is False


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**300, max_value=10**400)
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["a", "b", "a.b", "a.b.0", "0", "length", "-1", "1e999", "0x" + "f" * 400, "\ud800", ""])
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab0") | st.text(), inner, max_size=4),
    max_leaves=20,
)


@st.composite
def operations(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> Any:
    name = draw(st.sampled_from(sorted(OPERATORS)))
    operator = OPERATORS[name]
    most = operator.fewest + 3 if operator.most is None else operator.most
    return {name: draw(st.lists(inner, min_size=operator.fewest, max_size=most))}


rules = st.recursive(
    scalars
    | st.builds(lambda path: {"var": path}, st.sampled_from(["", "a", "a.b", "0", "a.0", "current", "accumulator"])),
    lambda inner: operations(inner) | st.lists(inner, max_size=4),
    max_leaves=20,
)


@given(rules, values)
def test_any_rule_on_any_data_comes_to_a_value(rule: Any, data: Any) -> None:
    try:
        value = compile_logic(rule)(data)
    except LogicTooExpensive:
        return
    assert truthy(value) in (True, False)
    assert value is None or isinstance(value, bool | int | float | str | list | dict)


@given(values)
def test_any_value_is_a_rule_or_is_refused(rule: Any) -> None:
    with suppress(InvalidLogic):
        compile_logic(rule)(rule)


@pytest.mark.parametrize(
    "digits", ["1" * 60_000 + "x", "1" * 60_000 + ".x", "." + "1" * 60_000 + "x", "1e" + "1" * 60_000 + "x"]
)
def test_a_long_text_that_is_almost_a_number_costs_no_more_than_reading_it(digits: str) -> None:
    rule = compile_logic({"<": [digits, 1]})
    began = time.process_time()
    assert rule({}) is False
    assert time.process_time() - began < 1
