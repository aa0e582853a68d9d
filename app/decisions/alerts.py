"""What stays open for too long is said: in the log, as a metric, and by mails to ALERT_EMAIL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, Row, select, update

from app.database import chores
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import decisions
from app.decisions.causes import Cause, is_unmailed, is_unsaid, said
from app.decisions.confirmer import ENDED_AT_CORE_2_0, NO_CREDENTIALS
from app.decisions.questions import NEVER
from app.encryption import Cipher
from app.masking import mask_email
from app.outbox import store
from app.outbox.delivery import NewDelivery
from app.outbox.states import Priority

log = structlog.get_logger()

MESSAGE = "decision-open"

_MAILED_EVERY = 15 * 60.0  # seconds at least between two mails, by whichever worker
_MOST_LISTED = 20


@dataclass(frozen=True)
class Alerts:
    """`destination` is where e-mail goes; None, or no `address`, leaves it at the log and the metric.

    `has_client`: a system client of ours is configured, with which core 2.1 takes confirmations.
    """

    database: Database
    cipher: Cipher
    address: str
    destination: str | None
    language: str
    has_client: bool

    def raise_due(self) -> None:
        """Alert of each decision that is late, once for each cause: a line in the log at once, and a line in a mail.

        One mail tells of all that no mail has told of. What comes soon after it waits for the next. Raises
        DatabaseAway.
        """
        unsaid = is_unsaid(has_client=self.has_client)
        if self._is_any(unsaid):
            late = update(decisions).where(unsaid).values(alerted_for=said(has_client=self.has_client))
            with self.database.transaction() as connection:
                for row in connection.execute(late.returning(decisions)).all():
                    _say(row, advice=self._advice(row))
        unmailed = is_unmailed(has_client=self.has_client)
        if self.destination is not None and self.address and self._is_any(unmailed):
            with self.database.transaction() as connection:
                if chores.claim(connection, self.database, MESSAGE, _MAILED_EVERY):
                    self._mail(connection, self.destination, unmailed)

    def _advice(self, row: Row[Any]) -> str:
        if Cause.UNCONFIRMABLE in row.alerted_for.split():
            return ENDED_AT_CORE_2_0 if self.has_client else NO_CREDENTIALS
        if Cause.REFUSED in row.alerted_for.split():
            return "country-config confirmations list says why: correct that, then country-config outbox retry --all"
        return "country-config confirmations list, then accept or reject, before core's token ends"

    def _is_any(self, condition: ColumnElement[bool]) -> bool:
        with self.database.reading() as connection:
            return connection.execute(select(decisions.c.event_id).where(condition).limit(1)).first() is not None

    def _mail(self, connection: Connection, destination: str, unmailed: ColumnElement[bool]) -> None:
        untold = update(decisions).where(unmailed).values(mailed_for=decisions.c.alerted_for).returning(decisions)
        rows = connection.execute(untold).all()
        if not rows:
            return
        mail = NewDelivery(
            key=f"alert.{new_id()}",
            channel="email",
            destination=destination,
            priority=Priority.TRANSACTIONAL,
            message=MESSAGE,
            recipient=mask_email(self.address),
            payload={"to": [self.address], "bcc": [], "language": self.language, "variables": _variables(rows)},
        )
        newest = max(row.trigger_id for row in rows)  # the mail must belong to one of them
        store.add(connection, self.database, self.cipher, [(newest, mail)])


def _say(row: Row[Any], advice: str) -> None:
    log.error(
        "decision.open",
        event_id=row.event_id,
        action_id=row.action_id,
        action_type=row.action_type,
        state=row.state,
        causes=row.alerted_for,
        advice=advice,
    )


def _variables(rows: Sequence[Row[Any]]) -> dict[str, str]:
    """Texts, as all variables are: of `decisions` each paragraph is a decision, and its lines what is shown of it.

    Those whose token ends first are listed; `more` is how many are not, "" where all are.
    """
    listed = sorted(rows, key=lambda row: float(row.token_expires_at))[:_MOST_LISTED]
    more = len(rows) - len(listed)
    return {
        "count": str(len(rows)),
        "decisions": "\n\n".join("\n".join(map(_line, _shown(row))) for row in listed),
        "more": str(more) if more else "",
    }


def _shown(row: Row[Any]) -> list[str]:
    ends = _time(row.token_expires_at)
    return [row.tracking_id, row.event_type, row.action_type, row.state, row.alerted_for, ends]


def _line(text: str) -> str:
    """On one line that is not blank, whatever is in it."""
    return " ".join(text.split()) or "-"


def _time(seconds: float) -> str:
    """Nothing where there is no end: our client confirms it, or the token claims an end that no calendar has."""
    return "" if seconds >= NEVER else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
