"""Writing a trigger down: the one write that its caller waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, insert, literal_column

from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.inserts import Inserts
from app.database.tables import deliveries, triggers
from app.encryption import Cipher
from app.outbox.states import Priority, State
from app.outbox.worker import PLAN
from app.triggers.catalogue import TriggerType


class Receiver:
    """Keeps triggers, each with the `plan` delivery that everything it owes will come from."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._cipher = cipher
        self._inserts = Inserts(
            database,
            [
                insert(triggers).values(
                    id=bindparam("trigger_id"),
                    path=bindparam("path"),
                    received_at=now(),
                    request_id=bindparam("request_id"),
                    fingerprint=bindparam("fingerprint"),
                    payload=bindparam("payload"),
                    secrets=bindparam("secrets"),
                ),
                insert(deliveries).values(
                    id=bindparam("delivery_id"),
                    trigger_id=bindparam("trigger_id"),
                    key=literal_column(f"'{PLAN}'"),
                    channel=literal_column(f"'{PLAN}'"),
                    destination=literal_column(f"'{PLAN}'"),
                    priority=bindparam("priority"),
                    state=literal_column(f"'{State.QUEUED}'"),
                    created_at=now(),
                    due_at=now(),
                ),
            ],
        )

    def keep(self, kind: TriggerType, payload: Mapping[str, Any], request_id: str) -> str:
        """Return the trigger's id once it is committed, and not before. Raises DatabaseAway: nothing was kept."""
        secrets = {name: payload[name] for name in kind.secrets if name in payload}
        open_part = {name: value for name, value in payload.items() if name not in secrets}
        trigger_id = new_id()
        self._inserts.write(
            {
                "trigger_id": trigger_id,
                "delivery_id": new_id(),
                "path": kind.path,
                "request_id": request_id,
                "fingerprint": self._cipher.fingerprint(kind.path, payload) if kind.repeats_within else None,
                "payload": self._cipher.encrypt(open_part),
                "secrets": self._cipher.encrypt(secrets) if secrets else None,
                "priority": int(_priority_of_plan(kind)),
            }
        )
        return trigger_id


def _priority_of_plan(kind: TriggerType) -> Priority:
    """A plan is as urgent as what it plans, save that a broadcast's planning is short."""
    return min(kind.message.priority, Priority.TRANSACTIONAL)
