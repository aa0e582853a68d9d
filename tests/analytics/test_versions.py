"""Never over newer rows, also where nobody wrote down their version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.analytics.accepting import rows_if_accepted
from app.analytics.store import STALE, AnalyticsStore
from app.records.schema import event_document
from app.records.state import pending_action
from tests.analytics.conftest import run
from tests.analytics.stored import EVERYTHING, expected, in_table, made
from tests.analytics.test_rows import accepted
from tests.analytics.test_store import reasons, registered, run_all
from tests.records.documents import action, document

MakeStore = Callable[[str], AnalyticsStore]


def archived(event: dict[str, Any]) -> dict[str, Any]:
    archive = accepted("ARCHIVE", 99, 9)
    return event | {"actions": [*event["actions"], archive], "updatedAt": "2027-05-01T00:00:00.000Z"}


def test_rows_without_a_version_are_not_made_older(store: AnalyticsStore) -> None:
    older, newer = registered(1, "B-1"), archived(registered(1, "B-1"))
    assert reasons(store, newer) == [None]
    run_all(store, "DELETE FROM {}event_versions")
    assert reasons(store, older, registered(2, "B-2")) == [STALE, None]
    assert in_table(store) == expected(made(newer), made(registered(2, "B-2")))
    assert reasons(store, newer) == [None]


def test_what_was_written_before_versions_could_be_kept_is_not_made_older(
    rows_only_url: str, prepared_url: str, make_store: MakeStore
) -> None:
    without, newer = make_store(rows_only_url), archived(registered(1, "B-1"))
    assert reasons(without, newer) == [None]
    kept = make_store(prepared_url)
    assert kept.layout().has_versions
    assert reasons(kept, registered(1, "B-1")) == [STALE]
    assert in_table(kept) == expected(made(newer))


def asked_to_register() -> dict[str, Any]:
    return document(accepted("CREATE", 1), action("REGISTER", 2, createdAt="2026-01-01T00:01:00.000Z"))


def write_as_if_accepted(store: AnalyticsStore, event: dict[str, Any]) -> None:
    read = event_document(event)
    assert store.write([rows_if_accepted(read, pending_action(read), {"registrationNumber": "B-1"}, EVERYTHING)]) == [
        None
    ]


def test_what_core_never_took_is_corrected_after_an_hour(store: AnalyticsStore) -> None:
    asked = asked_to_register()
    write_as_if_accepted(store, asked)
    assert reasons(store, asked) == [STALE]
    run_all(store, "UPDATE {}event_versions SET expected_since = expected_since - 3700")
    earlier = asked | {"updatedAt": "2025-01-01T00:00:00.000Z"}
    assert reasons(store, earlier) == [STALE]
    assert reasons(store, asked) == [None]
    assert in_table(store) == expected(made(asked))


def test_what_core_has_is_never_corrected_by_an_older_document(store: AnalyticsStore) -> None:
    newer = registered(1, "B-1")
    assert reasons(store, newer) == [None]
    run_all(store, "UPDATE {}event_versions SET expected_since = expected_since - 3700")
    assert reasons(store, newer | {"actions": newer["actions"][:-1]}) == [STALE]


def test_versions_that_were_kept_without_their_time_get_one(store: AnalyticsStore, make_store: MakeStore) -> None:
    store.layout()
    run_all(store, "ALTER TABLE {}event_versions DROP COLUMN expected_since")
    again = make_store(store.database.url.render_as_string(hide_password=False))
    assert again.layout() == store.layout()
    assert reasons(again, registered(1, "B-1")) == [None]


def test_versions_to_which_no_time_may_be_added_are_kept_without(
    rows_only_url: str, prepared_url: str, make_store: MakeStore
) -> None:
    make_store(prepared_url).layout()
    run(
        prepared_url,
        "ALTER TABLE analytics.event_versions DROP COLUMN expected_since; "
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA analytics TO statistician",
    )
    store = make_store(rows_only_url)
    assert store.layout().lacking == ("event_versions.expected_since",)
    write_as_if_accepted(store, asked_to_register())
    assert reasons(store, asked_to_register()) == [STALE]
