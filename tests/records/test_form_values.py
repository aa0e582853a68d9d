"""Which values a field of each type takes, by core 2.1's own schemas."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.records.form_values import Field, wrong_value

UUID = "a45b982a-5c7b-4bd9-8fd8-a42d0994054c"
FILE = {"path": "events/1/letter.png", "originalFilename": "letter.png", "type": "image/png"}
STREET = {"streetAddressForm": [{"id": "town"}]}
TYPES = [
    "ADDRESS",
    "AGE",
    "CHECKBOX",
    "DATA",
    "DATE",
    "EMAIL",
    "FILE",
    "FILE_WITH_OPTIONS",
    "HTTP",
    "NAME",
    "NUMBER",
    "SELECT",
    "TEXT",
    "TIME",
    "UNKNOWN",
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)

TAKEN: list[tuple[str, Any]] = [
    ("TEXT", "x"),
    ("SELECT", "not one of its options"),
    ("NUMBER", 0),
    ("NUMBER", -1.5),
    ("CHECKBOX", False),
    ("DATE", "2024-02-29"),
    ("TIME", "23:59"),
    ("DATE_RANGE", "2024-01-01"),
    ("DATE_RANGE", {"start": "2024-01-01", "end": "2024-02-01"}),
    ("SELECT_DATE_RANGE", "last7Days"),
    ("AGE", {"age": 3, "asOfDateRef": "child.dob"}),
    ("EMAIL", "o'neil+births@mail.registry.test"),
    ("PHONE", "whatever"),
    ("LOCATION", UUID),
    ("FILE", FILE),
    ("FILE", FILE | {"size": 3}),
    ("FILE_WITH_OPTIONS", [FILE | {"option": "passport"}]),
    ("NAME", {"firstname": "Amina", "surname": ""}),
    ("NAME", {"firstname": "Amina", "surname": "Mwale", "middlename": "B", "title": "Dr"}),
    ("ADDRESS", {"addressType": "INTERNATIONAL"}),
    ("ADDRESS", {"addressType": "DOMESTIC", "country": None, "administrativeArea": UUID}),
    ("DATA", {"data": {"child.dob": [1]}}),
    ("HTTP", {"loading": None, "error": {"statusCode": 404, "message": "none"}, "data": 3}),
    ("QUERY_PARAM_READER", {"data": {"code": "x"}}),
    ("FIELD_GROUP", {"child.dob": 3}),
    ("A_TYPE_OF_A_NEWER_CORE", [{}, 3]),
]
REFUSED: list[tuple[str, Any]] = [
    ("TEXT", 3),
    ("TEXT", {"text": "x"}),
    ("SELECT", True),
    ("LOCATION", ["x"]),
    ("NUMBER", "3"),
    ("NUMBER", True),
    ("NUMBER", 10**400),
    ("CHECKBOX", "true"),
    ("CHECKBOX", 1),
    ("DATE", 100),
    ("DATE", "2023-02-29"),
    ("DATE", "2024-1-1"),
    ("DATE", "2024-01-01T00:00:00Z"),
    ("DATE", "2024-01-01\n"),
    ("TIME", "24:00"),
    ("DATE_RANGE", {"start": "2024-01-01"}),
    ("SELECT_DATE_RANGE", "yesterday"),
    ("AGE", 3),
    ("AGE", {"age": "3", "asOfDateRef": "child.dob"}),
    ("EMAIL", "amina"),
    ("EMAIL", "a..b@registry.test"),
    ("FILE", "letter.png"),
    ("FILE", {"path": "letter.png"}),
    ("FILE_WITH_OPTIONS", FILE),
    ("FILE_WITH_OPTIONS", [FILE]),
    ("NAME", "Amina Mwale"),
    ("NAME", {"firstname": "Amina"}),
    ("NAME", {"firstname": "Amina", "surname": None}),
    ("NAME", {"firstname": "Amina", "surname": "Mwale", "middlename": None}),
    ("ADDRESS", "Lusaka"),
    ("ADDRESS", {"country": "ZMB"}),
    ("ADDRESS", {"addressType": "DOMESTIC", "administrativeArea": "Lusaka"}),
    ("ADDRESS", {"addressType": "INTERNATIONAL", "streetLevelDetails": {"town": "Lusaka"}}),
    ("DATA", {"child.dob": "2024-01-01"}),
    ("QUERY_PARAM_READER", {"data": {"code": 3}}),
    ("FIELD_GROUP", "x"),
]


@pytest.mark.parametrize(("kind", "value"), TAKEN)
def test_a_value_of_the_field_s_type_is_taken(kind: str, value: Any) -> None:
    assert wrong_value(Field("f", kind), value) is None


@pytest.mark.parametrize(("kind", "value"), REFUSED)
def test_any_other_is_refused_with_what_is_wanted(kind: str, value: Any) -> None:
    message = wrong_value(Field("f", kind), value)
    assert message is not None
    assert f"{kind} field: use " in message


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("value", [None, "", {}, [], {"firstname": "", "surname": ""}, [""]])
def test_null_and_what_is_empty_are_taken_by_all_types(kind: str, value: Any) -> None:
    assert wrong_value(Field("f", kind), value) is None


def test_a_name_must_have_the_parts_that_its_field_requires() -> None:
    name = Field("f", "NAME", {"name": {"firstname": {"required": False}, "middlename": {"required": True}}})
    assert wrong_value(name, {"firstname": "", "surname": "Mwale", "middlename": "B"}) is None
    assert wrong_value(name, {"firstname": "Amina", "surname": "Mwale"}) is not None
    assert wrong_value(name, {"firstname": "Amina", "surname": "Mwale", "middlename": ""}) is not None


@pytest.mark.parametrize(
    ("details", "is_taken"), [(None, True), ({"town": "Lusaka"}, True), ({"town": None}, True), ({"zip": "1"}, False)]
)
def test_the_street_of_an_address_has_the_lines_that_its_field_has(details: Any, is_taken: bool) -> None:
    value = {"addressType": "INTERNATIONAL", "country": "ZWE", "streetLevelDetails": details}
    assert (wrong_value(Field("f", "ADDRESS", STREET), value) is None) is is_taken


def test_the_area_of_a_field_for_old_names_may_be_a_path() -> None:
    value = {"addressType": "DOMESTIC", "country": "ZMB", "administrativeArea": [{"id": UUID, "name": "Lusaka"}]}
    assert wrong_value(Field("f", "ADDRESS", {"listHistoricalNames": True}), value) is None
    assert wrong_value(Field("f", "ADDRESS"), value) is not None


@pytest.mark.parametrize("kind", [kind for kind, _ in REFUSED if kind not in ("TEXT", "SELECT", "LOCATION")])
def test_a_message_never_quotes_the_value(kind: str) -> None:
    message = wrong_value(Field("f", kind), "Amina Mwale")
    assert message is not None
    assert "Amina" not in message


@given(
    st.sampled_from(TYPES), st.dictionaries(st.sampled_from(["name", "streetAddressForm"]), json_values), json_values
)
def test_any_value_of_any_configured_field_is_judged(kind: str, configuration: dict[str, Any], value: Any) -> None:
    assert isinstance(wrong_value(Field("f", kind, configuration), value), str | None)
