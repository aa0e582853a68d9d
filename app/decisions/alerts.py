"""What stays open for too long is said: in the log, as a metric, and by a mail to ALERT_EMAIL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Row, and_, or_, select, text, update

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import decisions
from app.decisions.states import DecisionState
from app.encryption import Cipher
from app.masking import mask_email
from app.outbox import store
from app.outbox.delivery import NewDelivery
from app.outbox.schedule import DAY
from app.outbox.states import Priority

log = structlog.get_logger()

MESSAGE = "decision-open"

# As the partial index has it, to the letter: it is used where the planner can read its condition.
_IS_OPEN = text("state IN ('deciding', 'deferred', 'confirming', 'refused')")
IS_LATE = and_(
    _IS_OPEN,
    or_(
        decisions.c.token_expires_at <= now() + DAY,
        decisions.c.deadline <= now(),
        decisions.c.state == DecisionState.REFUSED,
    ),
)


@dataclass(frozen=True)
class Alerts:
    """`destination` is where e-mail goes; None, or no `address`, leaves it at the log and the metric."""

    database: Database
    cipher: Cipher
    address: str
    destination: str | None
    language: str

    def raise_due(self) -> None:
        """Alert once of each decision that is late: nobody could decide, its deadline is over, its token dies within
        a day, or core refused it. Raises DatabaseAway.
        """
        unsaid = (IS_LATE, decisions.c.alerted_at.is_(None))
        with self.database.reading() as connection:
            if connection.execute(select(decisions.c.event_id).where(*unsaid).limit(1)).first() is None:
                return
        with self.database.transaction() as connection:
            late = update(decisions).where(*unsaid).values(alerted_at=now()).returning(decisions)
            for row in connection.execute(late).all():
                self._alert(connection, row)

    def _alert(self, connection: Connection, row: Row[Any]) -> None:
        log.error(
            "decision.open",
            event_id=row.event_id,
            action_id=row.action_id,
            action_type=row.action_type,
            state=row.state,
            advice="country-config confirmations list, then accept or reject, before core's token ends",
        )
        if self.destination is None or not self.address:
            return
        mail = NewDelivery(
            key="alert",
            channel="email",
            destination=self.destination,
            priority=Priority.TRANSACTIONAL,
            message=MESSAGE,
            recipient=mask_email(self.address),
            payload={
                "to": [self.address],
                "bcc": [],
                "language": self.language,
                "variables": {
                    "trackingId": row.tracking_id,
                    "eventType": row.event_type,
                    "actionType": row.action_type,
                    "actionId": row.action_id,
                    "state": row.state,
                    "tokenEnds": _shown(row.token_expires_at),
                },
            },
        )
        store.add(connection, self.database, self.cipher, [(row.trigger_id, mail)])


def _shown(seconds: float) -> str:
    """A token may claim any end; one that no calendar has is shown as far away."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return "9999"
