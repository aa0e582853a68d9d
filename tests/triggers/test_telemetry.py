"""Core 2.1's usage counts, which the country config server takes: what they are answered where they come to us."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from tests.triggers.answers import details_of, error_of, rows_kept
from tests.triggers.serving import Served

REPORT = {"reported_at": "2026-11-30T00:00:00.000Z", "app_version": "2.1.0", "metrics": {"users": 12}}


@pytest.mark.parametrize("path", ["/trigger/telemetry", "/triggers/telemetry"])
def test_usage_counts_are_answered_404_without_a_warning(server: Served, path: str) -> None:
    before = rows_kept(server.database)
    with capture_logs() as logs:
        answer = server.client.post(path, json=REPORT, headers=server.as_core())
    assert (answer.status_code, error_of(answer)) == (404, "Not Found")
    assert "country config server" in details_of(answer)[0]["message"]
    assert {line["log_level"] for line in logs} <= {"debug", "info"}
    assert rows_kept(server.database) == before
