"""Writing a question down: the one write that core waits for where no rule is asked, and the first where one is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Double, bindparam, insert, literal_column

from app.cleaning import clean
from app.database.clock import now
from app.database.engine import Database
from app.database.inserts import Inserts
from app.database.tables import decisions
from app.decisions.decision import Decision
from app.decisions.questions import Question
from app.decisions.rulings import Verdict
from app.decisions.states import DecisionState
from app.encryption import Cipher
from app.outbox import intake


class QuestionReceiver:
    """Keeps questions, each once, with the `plan` delivery that watches over it. Raises DatabaseAway."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._cipher = cipher
        self._inserts = Inserts(database, [intake.INSERT_TRIGGER, _INSERT_DECISION, intake.INSERT_PLAN], intake.IS_KEPT)

    def keep_accepted(self, question: Question, registration_number: str | None) -> Decision:
        """Keep an accept that no rule was needed for, in one commit.

        Raises AlreadyThere where the question was asked before, or the number is taken.
        """
        answer = {} if registration_number is None else {"registrationNumber": registration_number}
        values = self._values(question)
        self._inserts.write(
            values
            | {
                "state": DecisionState.ACCEPTED.value,
                "verdict": Verdict.ACCEPT.value,
                "answer": self._cipher.encrypt(answer),
                "registration_number": registration_number,
                "lease": 0.0,
                "plan_after": 0.0,
            }
        )
        return Decision(
            event_id=question.document.id,
            action_id=question.pending.id,
            trigger_id=values["trigger_id"],
            event_type=values["event_type"],
            action_type=values["action_type"],
            tracking_id=values["tracking_id"],
            state=DecisionState.ACCEPTED,
            verdict=Verdict.ACCEPT,
            answer=answer,
            reason=None,
            runs=1,
            lease_left=0.0,
        )

    def begin(self, question: Question, lease: float) -> None:
        """Keep the question, to be decided within `lease` seconds; past them the plan sees that it still is.

        Raises AlreadyThere where the question was asked before.
        """
        self._inserts.write(
            self._values(question)
            | {
                "state": DecisionState.DECIDING.value,
                "verdict": None,
                "answer": None,
                "registration_number": None,
                "lease": lease,
                "plan_after": lease,
            }
        )

    def _values(self, question: Question) -> dict[str, Any]:
        document, pending = question.document, question.pending
        return intake.values(
            path=clean(question.path),
            request_id=question.request_id,
            payload=self._cipher.encrypt_received(question.body),
        ) | {
            "event_id": document.id,
            "action_id": pending.id,
            # Text columns of PostgreSQL take neither U+0000 nor a lone surrogate.
            "event_type": clean(document.type),
            "action_type": pending.type,
            "tracking_id": clean(document.tracking_id),
            "token": _kept(self._cipher, question),
            "token_expires_at": question.expires_at,
        }


def _kept(cipher: Cipher, question: Question) -> bytes | None:
    if not question.token:
        return None
    return cipher.encrypt({"token": question.token, "claims": dict(question.claims)})


_INSERT_DECISION = insert(decisions).values(
    event_id=bindparam("event_id"),
    action_id=bindparam("action_id"),
    trigger_id=bindparam("trigger_id"),
    event_type=bindparam("event_type"),
    action_type=bindparam("action_type"),
    tracking_id=bindparam("tracking_id"),
    state=bindparam("state"),
    verdict=bindparam("verdict"),
    answer=bindparam("answer"),
    registration_number=bindparam("registration_number"),
    token=bindparam("token"),
    token_expires_at=bindparam("token_expires_at"),
    runs=literal_column("1"),
    lease_until=now() + bindparam("lease", type_=Double),
    created_at=now(),
)
