"""What core is answered, by a country's rules and without any."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.database.tables import decisions, deliveries, triggers
from tests.decisions.conftest import Country, documents, pending, question

MakeCountry = Callable[..., Country]

ACCEPT = "@on_action('*', '*')\ndef accept(action):\n    return Accept()\n"
REJECT = "@on_action('birth', 'REGISTER')\ndef reject(action):\n    return Reject('The date of birth is missing')\n"
DEFER = "@on_action('*', '*')\ndef wait(action):\n    return Defer('ask the ministry')\n"
CRASH = "@on_action('*', '*')\ndef crash(action):\n    raise RuntimeError('Amina')\n"
HANG = (
    "import threading\n@on_action('*', '*')\ndef hang(action):\n    threading.Event().wait(20)\n    return Accept()\n"
)
SERIALS = """
OFFICES = {"LSK": "LSK"}

def check_digit(digits):
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10

@registration_number("birth", series=lambda action: f"{action.year}-LSK")
def number(action, serial):
    digits = f"{action.year}{serial:06d}"
    return f"{action.year}-LSK-{serial:06d}-{check_digit(digits)}"
"""


def count(country: Country, table: Any) -> int:
    with country.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_without_rules_every_document_of_core_is_accepted_and_every_repeat_gets_the_same_answer(
    make_country: MakeCountry,
) -> None:
    country = make_country()
    for document, state in documents():
        first, second = country.ask(document), country.ask(document)
        assert first.status_code == second.status_code == 200
        assert first.json == second.json
        if state["pendingType"] == "REGISTER":
            assert first.json is not None
            assert re.fullmatch(r"[0-9A-Z]{12}", first.json["registrationNumber"])
        else:
            assert first.json == {}


@pytest.mark.parametrize(
    ("rules", "status", "body"),
    [
        (REJECT, 400, {"reason": "The date of birth is missing"}),
        (DEFER, 202, {}),
        (CRASH, 202, {}),
        (ACCEPT + REJECT + DEFER, 400, {"reason": "The date of birth is missing"}),
        (ACCEPT + DEFER, 202, {}),
        (CRASH + REJECT, 202, {}),
        ("@on_action('*', '*')\ndef nothing(action):\n    pass\n", 202, {}),
    ],
    ids=["reject", "defer", "crash", "reject-wins", "defer-beats-accept", "a-crash-never-decides", "no-answer"],
)
def test_rules_decide(make_country: MakeCountry, rules: str, status: int, body: dict[str, str]) -> None:
    answer = make_country(rules).ask(question("REGISTER"))
    assert (answer.status_code, answer.json) == (status, body)


def test_a_rule_that_outlives_its_time_defers(make_country: MakeCountry) -> None:
    answer = make_country(HANG, DECISION_TIMEOUT="0.2").ask(question("REGISTER"))
    assert answer.status_code == 202


def test_a_rule_of_another_event_type_is_not_asked(make_country: MakeCountry) -> None:
    assert make_country(REJECT).ask(question("REGISTER", "death")).status_code == 200


def test_the_additions_of_all_accepts_are_merged_and_the_order_does_not_matter(make_country: MakeCountry) -> None:
    one = "@on_action('*', '*')\ndef one(action):\n    return Accept(declaration={'a': {'x': 1}})\n"
    two = "@on_action('birth', '*')\ndef two(action):\n    return Accept(declaration={'b': 2}, annotation={'c': 3})\n"
    for rules in (one + two, two + one):
        answer = make_country(rules).ask(question("DECLARE"))
        assert answer.json == {"declaration": {"a": {"x": 1}, "b": 2}, "annotation": {"c": 3}}


def test_rules_that_disagree_on_a_key_defer(make_country: MakeCountry) -> None:
    rules = "".join(
        f"@on_action('*', '*')\ndef rule{value}(action):\n    return Accept(declaration={{'a': {value}}})\n"
        for value in (1, 2)
    )
    assert make_country(rules).ask(question("DECLARE")).status_code == 202


def test_a_rule_sees_the_merged_declaration_and_who_asks(make_country: MakeCountry) -> None:
    rules = (
        "@on_action('*', '*')\n"
        "def show(action):\n"
        "    return Accept(annotation={'user': action.user.id, 'type': action.user.type, 'year': action.year,\n"
        "                              'name': action.declaration.get('child.name'), 'office': action.office})\n"
    )
    document = question("REGISTER")
    answer = make_country(rules).ask(document)
    assert answer.json is not None
    shown = answer.json["annotation"]
    assert (shown["user"], shown["type"], shown["year"]) == (pending(document)["createdBy"], "user", 2026)
    assert shown["office"] == pending(document).get("createdAtLocation")


def test_the_number_of_the_rule_is_taken(make_country: MakeCountry) -> None:
    rules = "@on_action('*', '*')\ndef accept(action):\n    return Accept(registration_number='N-1')\n"
    country = make_country(rules)
    assert country.ask(question("REGISTER")).json == {"registrationNumber": "N-1"}
    # Core would strand a record with a number that another has.
    assert country.ask(question("REGISTER")).status_code == 202


def test_a_country_numbers_without_gaps_by_year_and_office(make_country: MakeCountry) -> None:
    country = make_country(SERIALS)
    numbers = [country.ask(question("REGISTER")).json for _ in range(3)]
    assert numbers == [
        {"registrationNumber": "2026-LSK-000001-5"},
        {"registrationNumber": "2026-LSK-000002-8"},
        {"registrationNumber": "2026-LSK-000003-1"},
    ]


def test_a_number_that_is_taken_is_drawn_again(make_country: MakeCountry) -> None:
    taken = "@on_action('birth', 'REGISTER')\ndef accept(action):\n    return Accept(registration_number='0001')\n"
    make_country(taken).ask(question("REGISTER"))
    serials = "@registration_number('*')\ndef number(action, serial):\n    return f'{serial:04d}'\n"
    assert make_country(serials).ask(question("REGISTER")).json == {"registrationNumber": "0002"}


@pytest.mark.parametrize("hook", ["raise ValueError(serial)", "return None", "return ''", "return 'always the same'"])
def test_a_hook_that_makes_no_number_defers(make_country: MakeCountry, hook: str) -> None:
    country = make_country(f"@registration_number('*')\ndef number(action, serial):\n    {hook}\n")
    answers = [country.ask(question("REGISTER")).status_code for _ in range(2)]
    assert answers[-1] == 202


@pytest.mark.parametrize("rules", ["", SERIALS, ACCEPT + SERIALS], ids=["default", "serials", "rule"])
def test_fifty_who_ask_at_once_get_one_answer_with_one_number(make_country: MakeCountry, rules: str) -> None:
    country = make_country(rules)
    document = question("REGISTER")
    with ThreadPoolExecutor(16) as pool:
        answers = [answer.get_data() for answer in pool.map(lambda _: country.ask(document), range(50))]
    assert len(set(answers)) == 1
    assert b"registrationNumber" in answers[0]
    assert (count(country, decisions), count(country, triggers), count(country, deliveries)) == (1, 1, 1)


def test_the_rules_run_once_for_one_question(make_country: MakeCountry, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    country = make_country(
        "from pathlib import Path\n@on_action('*', '*')\ndef rule(action):\n"
        f"    with Path({str(ran)!r}).open('a') as file:\n        file.write('x')\n    return Accept()\n"
    )
    document = question("DECLARE")
    with ThreadPoolExecutor(8) as pool:
        assert {answer.status_code for answer in pool.map(lambda _: country.ask(document), range(16))} == {200}
    assert ran.read_text() == "x"


def test_one_who_died_while_deciding_is_replaced(make_country: MakeCountry) -> None:
    country = make_country(ACCEPT)
    document = question("REGISTER")
    answer = country.ask(document)
    with country.database.transaction() as connection:  # as it would be, had the process died before the end
        connection.execute(
            decisions.update().values(state="deciding", lease_until=0.0, registration_number=None, answer=None)
        )
    again = country.ask(document)
    assert answer.status_code == again.status_code == 200
    assert again.json is not None
    assert again.json["registrationNumber"]


def test_nothing_of_the_record_is_kept_in_clear(make_country: MakeCountry) -> None:
    country = make_country(REJECT)
    document = question("REGISTER")
    country.ask(document)
    with country.database.reading() as connection:
        rows = [*connection.execute(select(decisions)), *connection.execute(select(triggers))]
    kept = repr([list(row) for row in rows])
    for secret in ("The date of birth is missing", *_values(document["actions"])):
        assert secret not in kept


def _values(actions: list[dict[str, Any]]) -> list[str]:
    found = [value for action in actions for value in action["declaration"].values() if isinstance(value, str)]
    return [value for value in found if len(value) > 6]
