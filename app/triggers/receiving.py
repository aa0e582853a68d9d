"""Writing a trigger down: the one write that its caller waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.database.engine import Database
from app.database.inserts import Inserts
from app.encryption import Cipher
from app.outbox import intake
from app.outbox.states import Priority
from app.triggers.catalogue import TriggerType


class Receiver:
    """Keeps triggers that ask for no decision."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._cipher = cipher
        self._inserts = Inserts(database, [intake.INSERT_TRIGGER, intake.INSERT_PLAN], intake.IS_KEPT)

    def keep(self, kind: TriggerType, payload: Mapping[str, Any], request_id: str) -> str:
        """Return the trigger's id once it is committed, and not before. Raises DatabaseAway: nothing was kept."""
        secrets = {name: payload[name] for name in kind.secrets if name in payload}
        open_part = {name: value for name, value in payload.items() if name not in secrets}
        values = intake.values(
            path=kind.path,
            request_id=request_id,
            payload=self._cipher.encrypt(open_part),
            secrets=self._cipher.encrypt(secrets) if secrets else None,
            fingerprint=self._cipher.fingerprint(kind.path, payload) if kind.repeats_within else None,
            # A plan is as urgent as what it plans, save that a broadcast is planned in no time.
            priority=min(kind.message.priority, Priority.TRANSACTIONAL),
        )
        self._inserts.write(values)
        return str(values["trigger_id"])
