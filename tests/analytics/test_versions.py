"""Never over newer rows, also where nobody wrote down their version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.analytics.store import STALE, AnalyticsStore
from tests.analytics.stored import expected, in_table, made
from tests.analytics.test_rows import accepted
from tests.analytics.test_store import reasons, registered, run_all

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
