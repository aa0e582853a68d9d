"""Rows in the database: written once, in whatever order they come, and never over newer ones."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from app.analytics.accepting import rows_if_accepted
from app.analytics.rows import event_rows
from app.analytics.store import NUMBER_TAKEN, STALE, AnalyticsStore
from app.analytics.tables import Unusable
from app.records.schema import event_document
from app.records.state import pending_action
from tests.analytics.conftest import count, run
from tests.analytics.stored import EVERYTHING, expected, in_table, made
from tests.analytics.test_rows import accepted
from tests.records.documents import EVENTS, action, document, uuid

Json = dict[str, Any]


def registered(number: int, registration_number: str, **changes: Any) -> Json:
    register = accepted("REGISTER", number * 10 + 1, 5, registrationNumber=registration_number)
    return document(accepted("CREATE", number * 10), register, id=uuid(number)) | changes


def reasons(store: AnalyticsStore, *events: Json) -> list[str | None]:
    outcomes = store.write([made(event) for event in events])
    return [outcome.reason if outcome is not None else None for outcome in outcomes]


def test_all_events_of_the_contract_are_stored_as_they_were_made(any_store: AnalyticsStore) -> None:
    events = [made(event) for event in EVENTS]
    assert any_store.write(events) == [None] * len(events)
    assert in_table(any_store) == expected(*events)


def test_any_order_and_any_repetition_gives_the_same_table(any_store: AnalyticsStore) -> None:
    chosen = sorted(EVENTS, key=lambda event: len(event["actions"]))[-4:]
    steps = [
        made(event | {"actions": event["actions"][: size + 1], "updatedAt": f"2027-01-01T00:{size:02}:00.000Z"})
        for event in chosen
        for size in range(len(event["actions"]))
    ]
    for seed in range(3):
        shuffled = [*steps, *steps]
        random.Random(seed).shuffle(shuffled)
        while shuffled:
            size = min(len(shuffled), 1 + len(shuffled) % 7)
            any_store.write([shuffled.pop() for _ in range(size)])
        last = [made(event | {"updatedAt": "2027-01-01T01:00:00.000Z"}) for event in chosen]
        assert in_table(any_store) == expected(*last)
        run_all(any_store, "DELETE FROM {}event_actions")
        if any_store.layout().has_versions:
            run_all(any_store, "DELETE FROM {}event_versions")


def run_all(store: AnalyticsStore, statement: str) -> None:
    with store.database.transaction() as connection:
        connection.execute(text(statement.format("" if store.database.is_sqlite else "analytics.")))


def test_what_is_older_is_said_and_changes_nothing(any_store: AnalyticsStore) -> None:
    older = document(accepted("CREATE", 1))
    newer = document(accepted("CREATE", 1), accepted("DECLARE", 2, 1), updatedAt="2026-01-02T00:00:00.000Z")
    assert reasons(any_store, newer) == [None]
    assert reasons(any_store, older) == [STALE]
    assert in_table(any_store) == expected(made(newer))


def test_of_one_event_in_a_batch_the_newest_is_written(store: AnalyticsStore) -> None:
    older, newer = document(accepted("CREATE", 1)), document(accepted("CREATE", 1), accepted("READ", 2, 1))
    assert reasons(store, newer, older, newer) == [STALE, STALE, None]
    assert in_table(store) == expected(made(newer))


def test_the_optimistic_row_makes_way_for_cores_own(any_store: AnalyticsStore) -> None:
    asked = document(accepted("CREATE", 1), action("REGISTER", 2, createdAt="2026-01-01T00:01:00.000Z"))
    read = event_document(asked)
    optimistic = rows_if_accepted(read, pending_action(read), {"registrationNumber": "B-1"}, EVERYTHING)
    own = accepted("REGISTER", 3, 2, originalActionId=uuid(2), registrationNumber="B-1")
    cores = asked | {"actions": [*asked["actions"], own]}
    assert any_store.write([optimistic]) == [None]
    assert [row["id"] for row in in_table(any_store)] == [uuid(1), uuid(2)]
    assert reasons(any_store, asked) == [STALE]  # core's answer to it is newer
    assert reasons(any_store, cores) == [None]
    assert [row["id"] for row in in_table(any_store)] == [uuid(1), uuid(3)]
    (late,) = any_store.write([optimistic])
    assert any_store.layout().has_versions is False or late is None or late.reason == STALE


def test_a_number_of_another_event_skips_that_event_only(any_store: AnalyticsStore) -> None:
    assert reasons(any_store, registered(1, "B-1")) == [None]
    assert reasons(any_store, registered(2, "B-1"), registered(3, "B-3"), registered(4, "B-3")) == [
        NUMBER_TAKEN,
        None,
        NUMBER_TAKEN,
    ]
    assert in_table(any_store) == expected(made(registered(1, "B-1")), made(registered(3, "B-3")))


def test_a_number_can_move_between_events_of_one_batch(store: AnalyticsStore) -> None:
    later = {"updatedAt": "2026-01-02T00:00:00.000Z"}
    store.write([made(registered(1, "B-1")), made(registered(2, "B-2"))])
    assert reasons(store, registered(1, "B-2", **later), registered(2, "B-1", **later)) == [None, None]
    assert {row["registration_number"] for row in in_table(store) if row["event_id"] == uuid(1)} == {None, "B-2"}


def test_a_number_can_move_where_each_event_is_written_alone(store: AnalyticsStore) -> None:
    later = {"updatedAt": "2026-01-02T00:00:00.000Z"}
    thief = document(accepted("CREATE", 30), id=uuid(7))
    store.write([made(registered(1, "B-1")), made(registered(3, "B-3"))])
    outcomes = reasons(store, thief, registered(2, "B-1"), registered(1, "B-2", **later))
    assert outcomes[1:] == [None, None]
    assert (outcomes[0] or "").startswith("the database refuses it")


def test_an_action_of_another_event_skips_that_event_only(any_store: AnalyticsStore) -> None:
    thief = document(accepted("CREATE", 10), id=uuid(7))
    any_store.write([made(registered(1, "B-1"))])
    (first, second) = reasons(any_store, thief, registered(2, "B-2"))
    assert first in (
        "the database refuses it: UniqueViolation of event_actions_pkey",
        "the database refuses it: IntegrityError",  # SQLite names none
    )
    assert second is None
    assert in_table(any_store) == expected(made(registered(1, "B-1")), made(registered(2, "B-2")))


def test_text_that_copy_must_escape_arrives(store: AnalyticsStore) -> None:
    odd = 'a\tb\nc\rd\\e\\Nf"g\x02'
    event = document(accepted("CREATE", 1, declaration={"child.name": odd}, createdBy=odd, createdByRole="\x02"))
    kept = event_rows(event_document(event), EVERYTHING)
    store.write([kept])
    assert in_table(store) == expected(kept)
    assert in_table(store)[0]["created_by_role"] == "\x02"


def test_two_that_write_the_same_events_do_not_collide(
    any_store: AnalyticsStore, make_store: Callable[[str], AnalyticsStore]
) -> None:
    url = any_store.database.url.render_as_string(hide_password=False)
    any_store.layout()  # what is collided over is the events, not who makes the file
    others = [make_store(url) for _ in range(3)]
    events = [made(event) for event in EVENTS[:20]]
    failures: list[BaseException] = []

    def write(store: AnalyticsStore, order: list[Any]) -> None:
        try:
            for start in range(0, len(order), 5):
                store.write(order[start : start + 5])
        except BaseException as error:  # noqa: BLE001  handed to the test
            failures.append(error)

    threads = []
    for seed, store in enumerate(others):
        order = list(events)
        random.Random(seed).shuffle(order)
        threads.append(threading.Thread(target=write, args=(store, order)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert in_table(any_store) == expected(*events)


def test_a_schema_made_beforehand_is_used_as_it_is(
    prepared_url: str, make_store: Callable[[str], AnalyticsStore]
) -> None:
    run(
        prepared_url,
        "ALTER TABLE analytics.event_actions DROP COLUMN content; ALTER TABLE analytics.locations ADD x text",
    )
    store = make_store(prepared_url)
    assert store.layout().lacking == ()
    assert reasons(store, registered(1, "B-1")) == [None]
    assert in_table(store) == expected(made(registered(1, "B-1")))


def test_a_column_that_cannot_be_added_is_done_without(
    prepared_url: str, request: pytest.FixtureRequest, make_store: Callable[[str], AnalyticsStore]
) -> None:
    run(prepared_url, "ALTER TABLE analytics.event_actions DROP COLUMN content")
    store = make_store(request.getfixturevalue("rows_only_url"))
    assert "event_actions.content" in store.layout().lacking
    assert reasons(store, registered(1, "B-1")) == [None]
    assert count(store, "event_actions") == 2


def test_a_user_who_may_make_nothing_is_told_what_to_grant(
    bare_postgresql: str, request: pytest.FixtureRequest, make_store: Callable[[str], AnalyticsStore]
) -> None:
    url = request.getfixturevalue("rows_only_url")
    run(bare_postgresql, "DROP TABLE analytics.event_actions CASCADE")
    with pytest.raises(Unusable, match="GRANT USAGE, CREATE"):
        make_store(url).layout()


def test_making_the_tables_twice_changes_nothing(
    store: AnalyticsStore, make_store: Callable[[str], AnalyticsStore]
) -> None:
    reasons(store, registered(1, "B-1"))
    again = make_store(store.database.url.render_as_string(hide_password=False))
    assert again.layout() == store.layout()
    assert count(again, "event_actions") == 2
