"""Alerting of fields that were left out of an answer, because core would refuse them: a metric, and a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import structlog

from app.cleaning import clean
from app.country import Action
from app.database import chores
from app.database.engine import Database, DatabaseAway
from app.outbox.schedule import DAY
from app.records.form import Problem
from app.triggers.catalogue import TriggerType
from app.triggers.receiving import Receiver

log = structlog.get_logger()

_MAX_LISTED = 20
_SUBJECT = "rules.py adds fields that core does not take"


@dataclass(frozen=True)
class LeftOutAlerts:
    """Counts what was left out, and mails it to `address`: once a day for each event type and action type.

    Without an `address` there is no mail. `email` is the trigger type of an infrastructure alert, `sender` its From.
    """

    database: Database
    receiver: Receiver
    email: TriggerType
    address: str
    sender: str
    count: Callable[[int], None]

    def __call__(self, action: Action, problems: Sequence[Problem]) -> None:
        """Raises nothing: core waits for the answer that the fields were left out of."""
        self.count(len(problems))
        if not self.address:
            return
        name = clean(f"left-out {action.event.type} {action.pending.type}")
        try:
            with self.database.transaction() as connection:
                if not chores.claim(connection, self.database, name, DAY):
                    return
            mail = {"subject": _SUBJECT, "html": _html(action, problems), "from": self.sender, "to": self.address}
            self.receiver.keep(self.email, mail, request_id="")
        except DatabaseAway as error:
            log.warning("addition.not_mailed", event_id=action.event.id, reason=str(error))
        except Exception:
            log.exception("addition.not_mailed", event_id=action.event.id)


def _html(action: Action, problems: Sequence[Problem]) -> str:
    listed = "".join(
        f"<li>{escape(problem.part)}: <b>{escape(problem.field)}</b> {escape(problem.message)}</li>"
        for problem in problems[:_MAX_LISTED]
    )
    more = f"<p>And {len(problems) - _MAX_LISTED} more.</p>" if len(problems) > _MAX_LISTED else ""
    return (
        f"<p>A rule accepts {escape(action.pending.type)} of {escape(action.event.type)} with fields that the event "
        f"configuration does not have like this. Core 2.1 refuses such an answer, and the record is stranded. So the "
        f"action was accepted without them (record {escape(action.event.tracking_id)}):</p>"
        f"<ul>{listed}</ul>{more}"
        "<p>Correct rules.py or the event configuration. Until then these fields are missing in every such record. "
        "The log has each as addition.left_out; of this event and action the next mail comes in a day.</p>"
    )
