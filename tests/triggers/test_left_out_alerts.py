"""Alerting of left out fields while the database is away: core must get its answer all the same."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from app.country import Action, Country
from app.database.engine import Database
from app.decisions.questions import action_of
from app.encryption import Cipher
from app.records.form import Part, Problem
from app.records.schema import event_document
from app.records.state import pending_action
from app.triggers.catalogue import EMAIL, trigger_types
from app.triggers.left_out_alerts import LeftOutAlerts
from app.triggers.receiving import Receiver
from tests.conftest import SECRET_KEY
from tests.decisions.conftest import question

PROBLEM = Problem(Part.DECLARATION, "cat", "is not a field")


@pytest.fixture
def action() -> Action:
    document = event_document(question("REGISTER"))
    return action_of(document, pending_action(document), {})


def test_what_cannot_be_mailed_is_counted_and_logged(action: Action) -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    counted: list[int] = []
    alerts = LeftOutAlerts(
        database,
        Receiver(database, Cipher([SECRET_KEY])),
        trigger_types(Country())[EMAIL],
        "operator@registry.test",
        "no-reply@registry.test",
        counted.append,
    )
    with capture_logs() as logs:
        alerts(action, [PROBLEM, PROBLEM])
    database.close()
    assert counted == [2]
    assert [one["event"] for one in logs] == ["addition.not_mailed"]
