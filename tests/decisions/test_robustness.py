"""What a country's code, a lost connection or a killed process could do to a record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from app.database.clock import now
from app.database.tables import decisions, deliveries
from app.outbox.worker import Worker
from app.timed_calls import CountryTimeout, TimedCalls
from tests.decisions.conftest import Country, pending, question

MakeCountry = Callable[..., Country]


def rule(body: str) -> str:
    return f"import functools, sys, datetime\n@on_action('*', '*')\ndef rule(action):\n    {body}\n"


@pytest.mark.parametrize(
    "body",
    [
        "return Reject(None)",
        "return Reject(5)",
        "return Reject('')",
        "return Defer(5)",
        "return Defer(deadline='tomorrow')",
        "return Accept(declaration=['a'])",
        "return Accept(annotation='a')",
        "return Accept(declaration={'a': {1, 2}})",
        "return Accept(declaration={'a': float('nan')})",
        "return Accept(declaration={'a': datetime.date(2026, 1, 1)})",
        "return Accept(registration_number=12345)",
        "return Accept(registration_number='  ')",
        "return Accept(registration_number='a\\0b')",
        "sys.exit(1)",
        "raise KeyboardInterrupt",
    ],
)
def test_what_is_no_answer_defers(make_country: MakeCountry, body: str) -> None:
    answer = make_country(rule(body)).ask(question("REGISTER"))
    assert (answer.status_code, answer.json) == (202, {})


def test_a_deferral_by_failure_is_said_with_the_countrys_own_line(make_country: MakeCountry) -> None:
    country = make_country(rule("raise ValueError('Amina')"))
    with capture_logs() as logs:
        country.ask(question("REGISTER"))
    (line,) = (line for line in logs if line["event"] == "rules.undecided")
    assert line["reason"] == "a rule raised ValueError at rules.py:5"
    assert "Amina" not in repr(logs)


def test_a_rule_without_a_name_is_asked_like_any_other(make_country: MakeCountry) -> None:
    rules = "import functools\non_action('*', '*')(functools.partial(lambda answer, action: answer, Accept()))\n"
    assert make_country(rules).ask(question("REGISTER")).status_code == 200


def test_additions_below_one_key_that_do_not_touch_are_merged(make_country: MakeCountry) -> None:
    rules = "".join(
        f"@on_action('*', '*')\ndef {name}(action):\n    return Accept(declaration={{'a': {{'{name}': 1}}}})\n"
        for name in ("x", "y")
    )
    assert make_country(rules).ask(question("DECLARE")).json == {"declaration": {"a": {"x": 1, "y": 1}}}


@pytest.mark.parametrize(("one", "other"), [("1", "True"), ("1", "1.0"), ("{'x': 1}", "[1]")])
def test_values_that_only_python_takes_for_equal_disagree(make_country: MakeCountry, one: str, other: str) -> None:
    rules = "".join(
        f"@on_action('*', '*')\ndef rule{number}(action):\n    return Accept(declaration={{'a': {value}}})\n"
        for number, value in enumerate((one, other))
    )
    assert make_country(rules).ask(question("DECLARE")).status_code == 202


def test_calls_that_hang_do_not_stop_others_until_there_are_too_many() -> None:
    calls, over = TimedCalls(most_hanging=2), threading.Event()
    for _ in range(2):
        with pytest.raises(CountryTimeout, match="no answer within"):
            calls(over.wait, 0.01)
    with pytest.raises(CountryTimeout, match="never returned"):
        calls(lambda: 1, 1)
    over.set()
    released = threading.Event()
    while not released.is_set():
        try:
            assert calls(lambda: 1, 1) == 1
            released.set()
        except CountryTimeout:
            continue


def test_a_rule_that_hangs_holds_up_no_other_records(make_country: MakeCountry) -> None:
    rules = """
import threading

@on_action("birth", "DECLARE")
def hangs(action):
    threading.Event().wait(20)

@on_action("death", "DECLARE")
def answers(action):
    return Reject("no")
"""
    country = make_country(rules, DECISION_TIMEOUT="0.1")
    assert [country.ask(question("DECLARE")).status_code for _ in range(10)] == [202] * 10
    assert country.ask(question("DECLARE", "death")).status_code == 400


def test_an_event_type_that_a_column_refuses_is_answered(make_country: MakeCountry) -> None:
    country = make_country()
    document = question("DECLARE") | {"type": "bi\0rth"}
    answer = country.app.test_client().post(
        "/trigger/events/bi%00rth/actions/DECLARE",
        json=document,
        headers={"Authorization": f"Bearer {country.token(document)}"},
    )
    assert answer.status_code == 200


def test_after_a_lost_connection_the_same_question_still_has_one_number(
    make_country: MakeCountry, request: pytest.FixtureRequest
) -> None:
    country = make_country()
    if country.database.is_sqlite:
        pytest.skip("SQLite has no connection to lose")
    # Both askers use this thread's connection: first it is made, then it is cut, then the known question comes.
    document = question("REGISTER")
    first = country.ask(document)
    with country.database.transaction() as connection:
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"))
    assert country.ask(document).json == first.json


def test_a_worker_killed_while_it_takes_over_leaves_the_decision_to_the_next(
    make_country: MakeCountry, make_worker: Callable[[Country], Worker]
) -> None:
    country = make_country(rule("return Accept()"))
    document = question("REGISTER")
    country.ask(document)
    with country.database.transaction() as connection:
        connection.execute(update(decisions).values(state="deciding", verdict=None, lease_until=now() - 1))
    worker = make_worker(country)
    (taken,) = worker._turn()
    worker._try_one(taken)  # done, and then killed before it is settled
    with country.database.reading() as connection:
        state = connection.scalar(select(decisions.c.state))
        owed = list(connection.scalars(select(deliveries.c.channel).where(deliveries.c.state == "queued")))
    assert (state, owed) == ("deferred", ["decide"])


def token_of(country: Country, document: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {country.token(document)}"}


def test_what_was_answered_at_once_can_be_confirmed_in_case_the_answer_was_lost(make_country: MakeCountry) -> None:
    country = make_country()
    document = question("REGISTER")
    number = country.ask(document).json
    accept = f"/confirmations/{pending(document)['id']}/accept"
    answer = country.app.test_client().post(accept, json={}, headers=token_of(country, document))
    assert answer.status_code == 202
    with country.database.reading() as connection:
        assert connection.scalar(select(decisions.c.registration_number)) == (number or {})["registrationNumber"]
        assert connection.scalar(select(deliveries.c.state).where(deliveries.c.channel == "confirmation")) == "queued"


def test_what_is_being_decided_is_asked_for_again_later(make_country: MakeCountry) -> None:
    country = make_country(rule("return Defer()"))
    document = question("REGISTER")
    country.ask(document)
    with country.database.transaction() as connection:
        connection.execute(update(decisions).values(state="deciding", lease_until=now() + 60))
    accept = f"/confirmations/{pending(document)['id']}/accept"
    answer = country.app.test_client().post(accept, json={}, headers=token_of(country, document))
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
