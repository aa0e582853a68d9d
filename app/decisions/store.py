"""Decisions in the database: one row for each (event id, action id), changed only where it is as expected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Row,
    and_,
    func,
    literal,
    null,
    or_,
    select,
    update,
)

from app.cleaning import clean
from app.country import Action, Country
from app.database import audit
from app.database.audit import Author, What
from app.database.clock import now
from app.database.engine import Database
from app.database.tables import attempts, decisions, deliveries, triggers
from app.decisions import numbers
from app.decisions.causes import FORGOTTEN
from app.decisions.core_record import CoreVerdict
from app.decisions.decision import Decision
from app.decisions.questions import Asked
from app.decisions.rulings import Ruling, Verdict
from app.decisions.states import DecisionState
from app.encryption import Cipher
from app.opencrvs.confirmations import may_reject_late
from app.opencrvs.offices import Offices
from app.opencrvs.version_signs import VersionSigns
from app.outbox import store
from app.outbox.delivery import NewDelivery
from app.outbox.places import PLAN
from app.outbox.states import Priority, State
from app.records.actions import Action as RecordAction
from app.records.schema import EventDocument, InvalidDocument, event_document
from app.records.state import pending_action

log = structlog.get_logger()


class Decisions:
    """Keeps decisions. All methods raise DatabaseAway."""

    def __init__(self, database: Database, cipher: Cipher, country: Country) -> None:
        self._database = database
        self._cipher = cipher
        self._country = country
        self._offices = Offices(database, core=None)
        self._signs = VersionSigns(database)

    def find(self, key: tuple[str, str]) -> Decision | None:
        """The decision on this question, None where it was never asked."""
        return self._find(_is(key))

    def find_by_action(self, action_id: str) -> Decision | None:
        """The decision on the action of this id."""
        return self._find(decisions.c.action_id == clean(action_id))  # PostgreSQL refuses even to compare with U+0000

    def find_by_trigger(self, trigger_id: str) -> Decision | None:
        """The decision that this trigger asked for."""
        return self._find(decisions.c.trigger_id == trigger_id)

    def _find(self, condition: ColumnElement[bool]) -> Decision | None:
        with self._database.reading() as connection:
            row = connection.execute(select(decisions, _LEASE_LEFT).where(condition)).first()
        return None if row is None else self._decision(row)

    def asked(self, decision: Decision) -> Asked:
        """The question, as it was asked. Raises UnknownKey."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(triggers.c.payload, decisions.c.token).join_from(decisions, triggers).where(_is(decision.key))
            ).one()
        document = event_document(self._cipher.decrypt(row.payload))
        kept: dict[str, Any] = self._cipher.decrypt(row.token) if row.token is not None else {"token": "", "claims": {}}
        pending = pending_action(document, decision.action_id)
        return Asked(document, pending, kept["claims"], kept["token"], self.office_code(pending))

    def confirmed_record(self, decision: Decision) -> EventDocument | None:
        """The record as core had it when it took a confirmation; None where core did not say. Raises UnknownKey."""
        with self._database.reading() as connection:
            kept = connection.scalar(select(decisions.c.confirmed_record).where(_is(decision.key)))
        if kept is None:
            return None
        try:
            document = event_document(self._cipher.decrypt(kept))
        except InvalidDocument as error:
            log.warning("decision.confirmed_record", event_id=decision.event_id, reason=str(error), advice="not used")
            return None
        accepted = {one.original_action_id for one in document.actions if one.status == "Accepted"}
        return document if document.id == decision.event_id and decision.action_id in accepted else None

    def office_code(self, pending: RecordAction) -> str | None:
        """The country's code for the office in which the action was asked for; None where it is not known."""
        location = pending.created_at_location
        office = self._offices.find(location, pending.created_at[:10]) if location is not None else None
        return (office.code or None) if office is not None else None

    def longest_token(self) -> str:
        """Of core's tokens that are kept, the one that is good for the longest; "" where none is. Raises UnknownKey."""
        newest = select(decisions.c.token).where(decisions.c.token.is_not(None), decisions.c.token_expires_at > now())
        with self._database.reading() as connection:
            token = connection.scalar(newest.order_by(decisions.c.token_expires_at.desc()).limit(1))
        return "" if token is None else str(self._cipher.decrypt(token)["token"])

    def has_token(self, decision: Decision) -> bool:
        """Whether core can still be told: its token for the action is kept, and alive."""
        alive = select(decisions.c.event_id).where(
            _is(decision.key), decisions.c.token.is_not(None), decisions.c.token_expires_at > now()
        )
        with self._database.reading() as connection:
            return connection.execute(alive).first() is not None

    def may_reject_late(self, decision: Decision) -> bool:
        """Whether core takes a reject of this action after 202. Core 2.0 does not, of three types; core 2.1 does."""
        return may_reject_late(decision.action_type) or self.is_at_core_2_1(decision)

    def is_at_core_2_1(self, decision: Decision) -> bool:
        """Whether core 2.1 takes the confirmation of this action: it has asked about it, or has called since.

        An action whose own token is kept was asked about by core 2.0, which may have been upgraded since.
        """
        with self._database.reading() as connection:
            bound = connection.scalar(select(decisions.c.token.is_not(None)).where(_is(decision.key)))
        return not bound or self._signs.is_core_2_1()

    def is_core_2_1(self) -> bool:
        """Return whether the core that called last is 2.1."""
        return self._signs.is_core_2_1()

    def keep_token(self, key: tuple[str, str], token: str, claims: Mapping[str, Any]) -> None:
        """Core's token for an open question, in the place of one that ends earlier.

        What core refused is confirmed with it once more: it may be what was lacking.
        """
        kept = self._cipher.encrypt({"token": token, "claims": dict(claims)})
        expires_at = float(claims["exp"])
        later = update(decisions).where(
            _is(key),
            decisions.c.state.in_([DecisionState.DEFERRED, DecisionState.CONFIRMING, DecisionState.REFUSED]),
            or_(decisions.c.token.is_(None), decisions.c.token_expires_at < expires_at),
        )
        with self._database.transaction() as connection:
            row = connection.execute(
                later.values(token=kept, token_expires_at=expires_at).returning(
                    decisions.c.trigger_id, decisions.c.state
                )
            ).one_or_none()
            if row is not None and row.state == DecisionState.REFUSED:
                self._owe_confirmation(connection, row.trigger_id)

    def take_over(self, decision: Decision, lease: float) -> bool:
        """Run the rules in the place of somebody whose lease is over. False where another was quicker."""
        with self._database.transaction() as connection:
            taken = connection.execute(
                update(decisions)
                .where(_is(decision.key), _is_deciding(decision.runs), decisions.c.lease_until < now())
                .values(runs=decision.runs + 1, lease_until=now() + literal(lease, Double))
            )
            return taken.rowcount == 1

    def finish(self, action: Action, runs: int, ruling: Ruling) -> Decision | None:
        """Write down what the rules came to, with its registration number and what follows from it.

        None where the lease was lost meanwhile, and then nothing is changed. Raises NoNumber, and what the country's
        hook raises: nothing is changed either.
        """
        key = (action.event.id, action.pending.id)
        with self._database.transaction() as connection:
            held = connection.execute(
                select(decisions.c.trigger_id).where(_is(key), _is_deciding(runs)).with_for_update()
            ).one_or_none()
            if held is None:
                return None
            answer = self._answer(connection, action, ruling)
            connection.execute(update(decisions).where(_is(key)).values(self._ended(ruling, answer)))
            connection.execute(
                update(deliveries)
                .where(deliveries.c.trigger_id == held.trigger_id, deliveries.c.key == PLAN)
                .values(due_at=now())
            )
            if ruling.undecided:
                store.add(connection, self._database, self._cipher, [(held.trigger_id, DECIDE_AGAIN)])
            row = connection.execute(select(decisions, _LEASE_LEFT).where(_is(key))).one()
        return self._decision(row)

    def resolve(self, decision: Decision, action: Action, ruling: Ruling, by: Author | None = None) -> bool:
        """Decide what was deferred, or what core refused, and owe core the confirmation.

        `by` is whose word it is, where it is not the rules'. False where it is not open any more. Raises NoNumber,
        and what the country's hook raises.
        """
        with self._database.transaction() as connection:
            held = connection.execute(
                select(decisions.c.trigger_id)
                .where(_is(decision.key), decisions.c.state.in_([DecisionState.DEFERRED, DecisionState.REFUSED]))
                .with_for_update()
            ).one_or_none()
            if held is None:
                return False
            connection.execute(update(decisions).where(_is(decision.key)).values(registration_number=None))
            # Core may have taken the number that it was told before, and only its answer was lost.
            answer = self._answer(connection, action, ruling, told_before=decision.answer.get("registrationNumber"))
            values = self._ended(ruling, answer) | {
                "runs": decision.runs + 1,
                "state": DecisionState.CONFIRMING,
                **FORGOTTEN,
            }
            connection.execute(update(decisions).where(_is(decision.key)).values(values))
            self._owe_confirmation(connection, held.trigger_id)
            if by is not None:
                audit.record(connection, by, _BY_HAND[ruling.verdict], [decision.action_id])
        return True

    def tell_core(self, decision: Decision, verdict: Verdict, by: Author) -> None:
        """Owe core the confirmation of what was decided, once more where the first came to nothing: `by` hand.

        What was answered at once is confirmed too, in case the answer never arrived: accepted twice is harmless.
        """
        at_once = (DecisionState.ACCEPTED, DecisionState.REJECTED)
        with self._database.transaction() as connection:
            connection.execute(
                update(decisions)
                .where(_is(decision.key), decisions.c.state.in_(at_once))
                .values(state=DecisionState.CONFIRMING)
            )
            self._owe_confirmation(connection, decision.trigger_id)
            audit.record(connection, by, _BY_HAND[verdict], [decision.action_id])

    def _owe_confirmation(self, connection: Connection, trigger_id: str) -> None:
        """Due now, too, where a try is under way: it may have been of what was decided before.

        Such a try changes nothing any more: its worker finds that it has lost the delivery.
        """
        store.add(connection, self._database, self._cipher, [(trigger_id, CONFIRMATION)])
        is_open = deliveries.c.state.in_([State.SENDING, State.FAILED, State.DROPPED])
        connection.execute(
            update(deliveries)
            .where(deliveries.c.trigger_id == trigger_id, deliveries.c.key == CONFIRMATION.key, is_open)
            .values(
                state=State.QUEUED, due_at=now(), give_up_at=null(), lease_until=null(), ended_at=null(), reason=null()
            )
        )

    def conclude(self, decision: Decision, state: DecisionState) -> None:
        """Write down that core never takes the confirmation."""
        self._change(decision, (DecisionState.CONFIRMING, DecisionState.REFUSED), {"state": state})

    def keep_core_verdict(self, decision: Decision, core: CoreVerdict | None, record: Any) -> None:
        """Keep that core has a verdict, and which: what core has takes the place of what was decided here.

        `record` is the event document that core answered with, None where it is not known; `core` is None where core
        did not say more than that it took the confirmation. A verdict or a number that is not ours counts as decided
        anew, so that what follows from it is done for it too. The action's token is erased.
        """
        verdict = core.verdict if core is not None else decision.verdict
        values: dict[str, Any] = {"state": DecisionState.CONFIRMED, "token": None}
        if record is not None and verdict is Verdict.ACCEPT:
            values["confirmed_record"] = self._cipher.encrypt_received(json.dumps(record).encode("ascii"))
        with self._database.transaction() as connection:
            if core is not None:
                values |= self._of_core(connection, decision, core)
            connection.execute(
                update(decisions)
                .where(
                    _is(decision.key),
                    decisions.c.runs == decision.runs,
                    decisions.c.state.in_([DecisionState.CONFIRMING, DecisionState.REFUSED]),
                )
                .values(**values)
            )

    def _of_core(self, connection: Connection, decision: Decision, core: CoreVerdict) -> dict[str, Any]:
        number, ours = core.registration_number, decision.answer.get("registrationNumber")
        answer = dict(core.answer)
        if core.verdict is Verdict.ACCEPT and number is None and ours is not None:
            answer["registrationNumber"] = ours  # core may leave it out of its answer: it has taken ours
        values: dict[str, Any] = {"answer": self._cipher.encrypt(answer)}
        if core.verdict is not decision.verdict:
            values |= {"verdict": core.verdict, "decided_at": now(), "reason": None, "runs": decision.runs + 1}
        if core.verdict is Verdict.REJECT:
            values["registration_number"] = None  # free for another record
        if number is not None and number != ours:
            # Another decision may hold core's number, which core does not have there: the column is unique.
            values["registration_number"] = None if numbers.is_taken(connection, number) else clean(number)
            values["runs"] = decision.runs + 1
        return values

    def defer_abandoned(self, decision: Decision) -> bool:
        """Defer what nobody is deciding any more: core has not been answered. False where somebody decides again."""
        reason = self._cipher.encrypt("the process that decided stopped")
        with self._database.transaction() as connection:
            deferred = connection.execute(
                update(decisions)
                .where(_is(decision.key), _is_deciding(decision.runs), decisions.c.lease_until < now())
                .values(state=DecisionState.DEFERRED, runs=decision.runs + 1, lease_until=None, reason=reason)
            )
            if deferred.rowcount == 1:
                store.add(connection, self._database, self._cipher, [(decision.trigger_id, DECIDE_AGAIN)])
        return deferred.rowcount == 1

    def still_deferred(self, decision: Decision, ruling: Ruling) -> None:
        """The rules defer, now that they could be asked."""
        self._change(
            decision,
            (DecisionState.DEFERRED,),
            {
                "reason": self._cipher.encrypt(ruling.reason) if ruling.reason else None,
                "deadline": _seconds(ruling.deadline),
                **FORGOTTEN,
            },
        )

    def tries_answered(self, decision: Decision, delivery_id: str, beginning: str) -> int:
        """How many tries of this delivery, since it was decided, were answered with what begins like this."""
        made_at = func.coalesce(decisions.c.decided_at, decisions.c.created_at)
        with self._database.reading() as connection:
            return connection.execute(
                select(func.count())
                .select_from(attempts)
                .join(decisions, and_(_is(decision.key), attempts.c.started_at >= made_at))
                .where(attempts.c.delivery_id == delivery_id, attempts.c.answer.startswith(beginning, autoescape=True))
            ).scalar_one()

    def _change(self, decision: Decision, expected: tuple[DecisionState, ...], values: Mapping[str, Any]) -> None:
        """Where it is still in one of the expected states, and was not decided anew since."""
        with self._database.transaction() as connection:
            connection.execute(
                update(decisions)
                .where(_is(decision.key), decisions.c.runs == decision.runs, decisions.c.state.in_(expected))
                .values(**values)
            )

    def _answer(
        self, connection: Connection, action: Action, ruling: Ruling, told_before: str | None = None
    ) -> dict[str, Any]:
        """What an accept is answered with: additions, and for REGISTER the number, made here where there is none."""
        if ruling.verdict is not Verdict.ACCEPT:
            return {}
        answer: dict[str, Any] = {}
        if ruling.declaration:
            answer["declaration"] = dict(ruling.declaration)
        if ruling.annotation is not None:
            answer["annotation"] = dict(ruling.annotation)
        if action.pending.type == "REGISTER":
            number = ruling.registration_number or told_before
            if number is not None and numbers.is_taken(connection, number):
                raise numbers.NoNumber("the registration number that the rule gave is taken by another record")
            answer["registrationNumber"] = number or numbers.made(connection, self._database, self._country, action)
        return answer

    def _ended(self, ruling: Ruling, answer: Mapping[str, Any]) -> dict[str, Any]:
        ended = {
            Verdict.ACCEPT: DecisionState.ACCEPTED,
            Verdict.REJECT: DecisionState.REJECTED,
            Verdict.DEFER: DecisionState.DEFERRED,
        }[ruling.verdict]
        decided = ruling.verdict is not Verdict.DEFER
        return {
            "state": ended,
            "verdict": ruling.verdict if decided else None,
            "answer": self._cipher.encrypt(answer) if decided else None,
            "reason": self._cipher.encrypt(ruling.reason) if ruling.reason else None,
            "registration_number": answer.get("registrationNumber"),
            "lease_until": None,
            "decided_at": now() if decided else null(),
            # What nobody decided is late from the start, so that somebody hears of it.
            "deadline": now() if ruling.undecided else _seconds(ruling.deadline),
        }

    def _decision(self, row: Row[Any]) -> Decision:
        return Decision(
            event_id=row.event_id,
            action_id=row.action_id,
            trigger_id=row.trigger_id,
            event_type=row.event_type,
            action_type=row.action_type,
            tracking_id=row.tracking_id,
            state=DecisionState(row.state),
            verdict=Verdict(row.verdict) if row.verdict else None,
            answer=self._cipher.decrypt(row.answer) if row.answer is not None else {},
            reason=self._cipher.decrypt(row.reason) if row.reason is not None else None,
            runs=row.runs,
            lease_left=row.lease_left or 0.0,
            decided_at=row.decided_at,
        )


_LEASE_LEFT = (decisions.c.lease_until - now()).label("lease_left")
# What the worker owes when nobody decided, and when somebody has since.
DECIDE_AGAIN = NewDelivery("decide", channel="decide", destination="rules", priority=Priority.TRANSACTIONAL)
# Never given up by itself: somebody may hold the record at core for weeks, and it is stuck without its confirmation.
CONFIRMATION = NewDelivery(
    "confirmation",
    channel="confirmation",
    destination="core",
    priority=Priority.TRANSACTIONAL,
    gives_up=False,
)
_BY_HAND = {Verdict.ACCEPT: What.CONFIRMATION_ACCEPT, Verdict.REJECT: What.CONFIRMATION_REJECT}


def _is(key: tuple[str, str]) -> ColumnElement[bool]:
    return and_(decisions.c.event_id == key[0], decisions.c.action_id == key[1])


def _is_deciding(runs: int) -> ColumnElement[bool]:
    return and_(decisions.c.state == DecisionState.DECIDING, decisions.c.runs == runs)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
