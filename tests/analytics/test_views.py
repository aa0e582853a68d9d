"""The views that statisticians start from, on a handful of records that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from app.analytics.core_places import keep
from app.analytics.rows import event_rows
from app.analytics.store import AnalyticsStore
from app.analytics.tables import prepare, script
from app.database.engine import Database
from app.opencrvs.locations import Location
from app.records.schema import event_document
from tests.analytics.conftest import count, run
from tests.analytics.test_rows import marking
from tests.records.documents import action, document, uuid

Json = dict[str, Any]

OFFICE = uuid(500)
KEPT = marking("child.dob", "eventDetails.date")


def step(kind: str, at: str, number: int, office: str = OFFICE, **changes: Any) -> Json:
    return action(kind, number, status="Accepted", createdAt=at, createdAtLocation=office, **changes)


def birth(number: int, dob: Any, *steps: tuple[str, str], kind: str = "birth") -> Json:
    field = "child.dob" if kind == "birth" else "eventDetails.date"
    actions = [step("CREATE", steps[0][1], number * 100)]
    for place, (what, at) in enumerate(steps, 1):
        own: Json = {"declaration": {field: dob}} if what == "DECLARE" else {}
        if what == "REGISTER":
            own["registrationNumber"] = f"B-{number}"
        actions.append(step(what, at, number * 100 + place, **own))
    return document(*actions, id=uuid(number), type=kind)


RECORDS = [
    birth(1, "2026-01-01", ("DECLARE", "2026-01-02T08:00:00.000Z"), ("REGISTER", "2026-01-31T08:00:00.000Z")),
    birth(2, "2026-01-01", ("DECLARE", "2026-01-02T08:00:00.000Z"), ("REGISTER", "2026-02-01T08:00:00.000Z")),
    birth(3, "2025-01-01", ("DECLARE", "2026-02-02T08:00:00.000Z"), ("REGISTER", "2026-02-03T08:00:00.000Z")),
    birth(4, "2024-02-29", ("DECLARE", "2024-03-01T08:00:00.000Z"), ("REGISTER", "2024-03-02T08:00:00.000Z")),
    birth(5, "2026-02-30", ("DECLARE", "2026-03-01T08:00:00.000Z"), ("REGISTER", "2026-03-02T08:00:00.000Z")),
    birth(6, {"day": 1}, ("DECLARE", "2026-03-01T08:00:00.000Z"), ("REGISTER", "2026-03-02T08:00:00.000Z")),
    birth(7, "2026-02-01", ("DECLARE", "2026-02-02T08:00:00.000Z"), ("REJECT", "2026-02-03T08:00:00.000Z")),
    birth(8, "2026-02-01", ("DECLARE", "2026-02-02T08:00:00.000Z"), ("READ", "2026-02-04T08:00:00.000Z")),
    birth(9, "2026-02-01", ("REJECT", "2026-02-03T08:00:00.000Z"), ("DECLARE", "2026-02-05T08:00:00.000Z")),
    birth(
        10,
        "2026-01-05",
        ("DECLARE", "2026-01-06T08:00:00.000Z"),
        ("REGISTER", "2026-01-07T08:00:00.000Z"),
        kind="death",
    ),
]


def lived(number: int, *kinds: str, at: str = "") -> Json:
    """An action a day, or all of them in one moment; the ids go down."""
    life = [
        step(kind, at or f"2026-02-{day:02}T08:00:00.000Z", number * 100 + 90 - day)
        for day, kind in enumerate(kinds, 1)
    ]
    return document(*life, id=uuid(number), type="birth")


def by_event(store: AnalyticsStore, records: list[Json], view: str) -> dict[str, Json]:
    assert not any(store.write([event_rows(event_document(record), KEPT) for record in records]))
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        rows = connection.execute(text(f"SELECT * FROM {prefix}{view}")).mappings()  # noqa: S608
        return {str(row["event_id"]): dict(row) for row in rows}


@pytest.fixture
def filled(store: AnalyticsStore) -> Callable[[str], list[Json]]:
    """Rows of a view."""
    keep(store, [], [Location(OFFICE, "Lusaka", None, None, "CRVS_OFFICE")])
    assert not any(store.write([event_rows(event_document(record), KEPT) for record in RECORDS]))
    prefix = "" if store.database.is_sqlite else "analytics."

    def rows(view: str) -> list[Json]:
        with store.database.reading() as connection:
            return [dict(row) for row in connection.execute(text(f"SELECT * FROM {prefix}{view}")).mappings()]  # noqa: S608

    return rows


def test_registrations_by_month_office_and_event_type(filled: Callable[[str], list[Json]]) -> None:
    found = {(row["month"], row["event_type"]): row["registrations"] for row in filled("registrations_by_month")}
    assert found == {
        ("2024-03", "birth"): 1,
        ("2026-01", "birth"): 1,
        ("2026-01", "death"): 1,
        ("2026-02", "birth"): 2,
        ("2026-03", "birth"): 2,
    }
    assert {row["office"] for row in filled("registrations_by_month")} == {"Lusaka"}


def test_completeness_counts_days_from_the_event_to_its_registration(filled: Callable[[str], list[Json]]) -> None:
    found = {
        (row["month_of_event"], row["event_type"]): tuple(
            int(row[column]) for column in ("registered", "within_30_days", "within_a_year", "later")
        )
        for row in filled("registration_completeness")
    }
    assert found == {
        ("2026-01", "birth"): (2, 1, 2, 0),  # after 30 days, and after 31
        ("2025-01", "birth"): (1, 0, 0, 1),
        ("2024-02", "birth"): (1, 1, 1, 0),
        ("2026-01", "death"): (1, 1, 1, 0),
    }


def test_rejections_come_with_their_reasons(filled: Callable[[str], list[Json]]) -> None:
    (row,) = filled("rejections_by_month")
    assert (row["month"], row["reason"], row["rejections"], row["office"]) == ("2026-02", "Illegible", 2, "Lusaka")


def test_the_backlog_is_what_was_declared_and_waits(filled: Callable[[str], list[Json]]) -> None:
    found = {str(row["event_id"]): row for row in filled("backlog")}
    assert set(found) == {uuid(8), uuid(9)}
    waited = datetime.now(UTC) - datetime(2026, 2, 2, 8, tzinfo=UTC)
    assert abs(timedelta(days=found[uuid(8)]["days_waiting"]) - waited) <= timedelta(days=1)
    assert found[uuid(8)]["last_action"] == "DECLARE"


def test_days_that_are_not_over_are_not_counted(store: AnalyticsStore) -> None:
    then = (datetime.now(UTC) - timedelta(days=14, hours=20)).isoformat(timespec="milliseconds")[:23] + "Z"
    record = document(step("DECLARE", then, 2), id=uuid(1), type="birth")
    assert by_event(store, [record], "backlog")[uuid(1)]["days_waiting"] == 14


@pytest.mark.parametrize(
    ("kinds", "status"),
    [
        ("CREATE", "created"),
        ("CREATE NOTIFY READ", "notified"),
        ("CREATE NOTIFY DECLARE ASSIGN", "declared"),
        ("CREATE DECLARE EDIT", "declared"),
        ("CREATE DECLARE REGISTER REQUEST_CORRECTION", "registered"),
        ("CREATE DECLARE REJECT CUSTOM", "rejected"),
        ("CREATE DECLARE REJECT EDIT EDIT", "declared"),
        ("CREATE NOTIFY REJECT EDIT", "notified"),
        ("CREATE DECLARE ARCHIVE CUSTOM EDIT", "archived"),
        ("CREATE DECLARE DUPLICATE_DETECTED MARK_AS_DUPLICATE READ", "duplicate"),
        ("CREATE DECLARE DUPLICATE_DETECTED MARK_AS_NOT_DUPLICATE", "declared"),
    ],
)
def test_the_status_is_that_of_the_last_action_that_sets_one(store: AnalyticsStore, kinds: str, status: str) -> None:
    record = lived(1, *kinds.split())
    assert by_event(store, [record], "records")[uuid(1)]["status"] == status
    assert len(by_event(store, [record], "backlog")) == (status == "declared")


@pytest.mark.parametrize("answer", [None, "Rejected"])
def test_a_declaration_that_was_not_accepted_is_no_backlog(store: AnalyticsStore, answer: str | None) -> None:
    asked = step("DECLARE", "2026-02-02T08:00:00.000Z", 2) | {"status": "Requested"}
    answered = [{**asked, "id": uuid(3), "status": answer, "originalActionId": asked["id"]}] if answer else []
    record = document(step("CREATE", "2026-02-01T08:00:00.000Z", 1), asked, *answered, id=uuid(1), type="birth")
    assert by_event(store, [record], "backlog") == {}
    assert by_event(store, [record], "records")[uuid(1)]["status"] == "created"


def test_a_record_is_created_first_whatever_the_clock_said(store: AnalyticsStore) -> None:
    record = birth(1, "2026-01-01", ("DECLARE", "2026-01-02T08:00:00.000Z"), ("REGISTER", "2026-01-03T08:00:00.000Z"))
    record["actions"][0]["createdAt"] = "2026-05-01T08:00:00.000Z"
    found = by_event(store, [record], "records")[uuid(1)]
    assert (found["last_action"], found["happened_on"], found["status"]) == ("REGISTER", "2026-01-01", "registered")


@pytest.mark.parametrize(
    ("kinds", "last"),
    [
        ("CREATE NOTIFY DECLARE", "DECLARE"),
        ("CREATE DECLARE CUSTOM REGISTER", "REGISTER"),
        ("CREATE DECLARE REJECT", "REJECT"),
        ("CREATE DECLARE REGISTER REQUEST_CORRECTION APPROVE_CORRECTION", "APPROVE_CORRECTION"),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_what_happened_in_one_moment_is_in_the_order_of_a_life(
    store: AnalyticsStore, kinds: str, last: str, order: int
) -> None:
    record = lived(1, *kinds.split()[::order], at="2026-02-01T08:00:00.000Z")
    assert by_event(store, [record], "records")[uuid(1)]["last_action"] == last


def test_a_birth_after_its_registration_is_not_soon_registered(store: AnalyticsStore) -> None:
    early = birth(1, "2026-03-02", ("DECLARE", "2026-03-01T08:00:00.000Z"), ("REGISTER", "2026-03-01T09:00:00.000Z"))
    assert not any(store.write([event_rows(event_document(early), KEPT)]))
    prefix = "" if store.database.is_sqlite else "analytics."
    with store.database.reading() as connection:
        (row,) = connection.execute(text(f"SELECT * FROM {prefix}registration_completeness")).mappings()  # noqa: S608
    assert [int(row[name]) for name in ("registered", "within_30_days", "within_a_year", "later")] == [1, 0, 0, 0]


@pytest.mark.parametrize("view", ["records", "registrations_by_month", "registration_completeness", "backlog"])
def test_the_rows_are_gone_through_once(bare_postgresql: str, view: str) -> None:
    """Joins of what the planner cannot estimate took the square of the records."""
    store = AnalyticsStore(Database(bare_postgresql))
    store.layout()
    with store.database.reading() as connection:
        plan = "\n".join(connection.scalars(text(f"EXPLAIN SELECT * FROM analytics.{view}")))  # noqa: S608
    store.database.close()
    assert plan.count("on event_actions") == 1


def test_a_view_that_a_country_made_is_left_as_it_is(
    bare_postgresql: str, make_store: Callable[[str], AnalyticsStore]
) -> None:
    run(bare_postgresql, "CREATE SCHEMA analytics; CREATE VIEW analytics.backlog AS SELECT 1 AS mine")
    store = make_store(bare_postgresql)
    assert store.layout().lacking == ()
    with store.database.reading() as connection:
        assert connection.scalar(text("SELECT mine FROM analytics.backlog")) == 1


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (
            (
                "DROP VIEW analytics.backlog; CREATE VIEW analytics.backlog AS SELECT CAST(NULL AS uuid) AS event_id; "
                "COMMENT ON VIEW analytics.backlog IS 'Made by country-config: 0123456789abcdef'"
            ),
            "SELECT days_waiting FROM analytics.backlog",
        ),
        (
            (
                "ALTER VIEW analytics.records RENAME TO newer; CREATE VIEW analytics.records AS SELECT event_id, "
                "event_type, declared_at, registered_at, registration_number, office_id, office, happened_on, "
                "last_action, last_action_at, declaration FROM analytics.newer; "
                "COMMENT ON VIEW analytics.records IS 'Made by country-config: 0'"
            ),
            "SELECT status FROM analytics.records",
        ),
    ],
    ids=["one that nothing reads", "one that others read"],
)
def test_our_own_view_of_an_older_version_is_made_anew(
    bare_postgresql: str, make_store: Callable[[str], AnalyticsStore], older: str, newer: str
) -> None:
    store = make_store(bare_postgresql)
    store.layout()
    run(bare_postgresql, older)
    assert prepare(store.database).lacking == ()
    with store.database.reading() as connection:
        assert connection.execute(text(newer)).all() == []


def test_an_owner_can_make_what_we_may_not(
    prepared_url: str, rows_only_url: str, make_store: Callable[[str], AnalyticsStore]
) -> None:
    assert "backlog" in make_store(rows_only_url).layout().lacking
    run(prepared_url, script())
    run(prepared_url, script())
    run(prepared_url, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA analytics TO statistician")
    store = make_store(rows_only_url)
    assert store.layout().lacking == ()
    assert not any(store.write([event_rows(event_document(record), KEPT) for record in RECORDS]))
    assert count(store, "backlog") == 2
