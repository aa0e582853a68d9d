"""Confirming at core what was decided after core was told to wait: the worker's part.

Core 2.0 takes a confirmation with the action's own token only, core 2.1 with our own system client's only. Which of
them is there is seen by what it refuses, since a country upgrades core while actions wait.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import structlog

from app.decisions.additions import Additions, fitted
from app.decisions.core_record import CoreVerdict, core_record
from app.decisions.decision import Decision
from app.decisions.questions import Asked
from app.decisions.rulings import Ruling, Verdict
from app.decisions.states import DecisionState
from app.decisions.store import Decisions
from app.opencrvs.confirmations import (
    Confirmation,
    Confirmed,
    CoreEvents,
    RefusalCode,
    Refused,
    Result,
    Unavailable,
)
from app.opencrvs.system_client import SystemClient, SystemClientError
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Retry, Sent
from app.records.form import Problem

log = structlog.get_logger()

NO_CREDENTIALS = (
    "there is no token to confirm it with: set SYSTEM_CLIENT_ID and SYSTEM_CLIENT_SECRET, with which core 2.1 takes "
    "confirmations, or have core 2.0 ask again"
)

ENDED_AT_CORE_2_0 = (
    "the action's token has ended, and core 2.0 takes no other: the record waits until core 2.0 asks again, or is "
    "upgraded to 2.1"
)

# Core 2.0 hides "it was decided otherwise" behind a plain 500, so that more tries than these only repeat it. Tries that
# never came to core's events service say nothing of it: they are known by the answer that was kept of them.
_PLAIN_500 = "core answered INTERNAL_SERVER_ERROR"
_MAX_TRIES_AGAINST_500 = 12
_UNREADABLE = "core's record could not be read"
_MAX_LOOKS = 2  # at core's record, of one decision: core notes every reading in it
_LOOK_AT_TRY = 3  # the one after which core's record is read, once: core notes every reading in the record

# A new token of our client may help against these, because its scopes were changed at core.
_OF_SCOPES = (RefusalCode.FORBIDDEN, RefusalCode.NOT_FOUND)
_HINTS = {
    RefusalCode.UNAUTHORIZED: "core takes neither the action's token nor our system client's: " + NO_CREDENTIALS,
    RefusalCode.FORBIDDEN: (
        "at core 2.1 our system client needs the scopes record.action.accept and record.action.reject: see core's "
        "Integrations page, then country-config outbox retry; core 2.0 takes only the token of the action"
    ),
    RefusalCode.NOT_FOUND: "the record is not in core any more, or its event type is not in our client's scopes",
    RefusalCode.NOT_PENDING: "core does not know this action as one that waits: is this the database of another core?",
}


@dataclass(frozen=True)
class Confirmer:
    """The handler of the `confirmation` channel. `core` is None where no GATEWAY_URL is set.

    With `keep_assignment` the registrar who holds the record keeps it. What core answers with is what is kept in the
    end: another system may have confirmed the action with another number, or with another verdict.
    """

    decisions: Decisions
    core: CoreEvents | None
    client: SystemClient | None
    additions: Additions
    keep_assignment: bool

    def confirm(self, delivery: Delivery) -> Outcome:
        """Confirm at core what was decided, or keep what core has."""
        decision = self.decisions.find_by_trigger(delivery.trigger.id)
        if decision is None or decision.state not in (DecisionState.CONFIRMING, DecisionState.REFUSED):
            return Dropped("confirmed meanwhile")
        if self.core is None:
            return Retry("GATEWAY_URL is not set: it is where core's events service is reached", destination_down=True)
        asked = self.decisions.asked(decision)
        match self._confirmed(self.core, decision, asked):
            case Confirmed(record=record):
                return self._taken(decision, record)
            case Refused(reason=reason, code=RefusalCode.ASSIGNED):
                return Retry(f"somebody holds the record at core, so that it is confirmed later: {reason}")
            case Refused(code=RefusalCode.ALREADY_REJECTED):
                return self._kept(decision, CoreVerdict(Verdict.REJECT))
            case Refused(code=RefusalCode.ALREADY_ACCEPTED) as refused:
                looked = self._looked_at(self.core, decision, asked)
                if isinstance(looked, Retry) and self._looks(decision, delivery) + 1 < _MAX_LOOKS:
                    return looked
                return looked if isinstance(looked, Sent) else self._refused(decision, refused)
            case Refused() as refused:
                return self._refused(decision, refused)
            case Unavailable() as away:
                return self._later(self.core, decision, asked, delivery, away)

    def _confirmed(self, core: CoreEvents, decision: Decision, asked: Asked) -> Confirmed | Refused | Unavailable:
        outcome: Confirmed | Refused | Unavailable = Refused(NO_CREDENTIALS)
        away: Unavailable | None = None
        for credential in self._credentials(asked):
            # What takes our client's token is core 2.1, which takes no field that the form does not have.
            problems = self._unfit(decision, asked) if credential.is_client else ()
            confirmation = self._confirmation(decision, asked, problems)
            try:
                for token in credential.tokens:
                    outcome = core.confirm(confirmation, token)
                    if not _is_refused(outcome, RefusalCode.UNAUTHORIZED):
                        break
            except SystemClientError as error:
                outcome = away = Unavailable(str(error), destination_down=False)
                continue
            if isinstance(outcome, Confirmed) and problems:
                self.additions.report(asked.action, problems)
            if not _is_refused(outcome, RefusalCode.UNAUTHORIZED, RefusalCode.FORBIDDEN):
                return outcome
        return away or outcome

    def _unfit(self, decision: Decision, asked: Asked) -> Sequence[Problem]:
        """What core 2.1 would refuse of an accept: it was decided for core 2.0, or the form has changed since."""
        if decision.verdict is not Verdict.ACCEPT:
            return ()
        return self.additions.problems(asked.action, _ruling(decision))

    def _confirmation(self, decision: Decision, asked: Asked, problems: Sequence[Problem]) -> Confirmation:
        if decision.verdict is Verdict.REJECT:
            return Confirmation.rejecting(decision.event_id, asked.pending, keep_assignment=self.keep_assignment)
        ruling = fitted(_ruling(decision), problems)
        return Confirmation.accepting(
            decision.event_id,
            asked.pending,
            registration_number=decision.answer.get("registrationNumber"),
            declaration=ruling.declaration or None,
            annotation=ruling.annotation,
            keep_assignment=self.keep_assignment,
        )

    def _credentials(self, asked: Asked) -> Sequence[_Credential]:
        """The action's own token and our client's, the one that this core is likely to take first."""
        own = [_Credential(iter([asked.token]))] if asked.token else []
        client = [_Credential(_tokens_of(self.client), is_client=True)] if self.client is not None else []
        return own + client if asked.may_confirm else client + own

    def _taken(self, decision: Decision, record: object) -> Outcome:
        """Core has answered with its record, or with something that says nothing of the action."""
        found = core_record(record, decision.event_id, decision.action_id)
        if found is None:
            self.decisions.keep_core_verdict(decision, None, None)
            return Sent("confirmed")
        if found.verdict is None:
            # Core drops an insert whose transaction, type and status it has seen, and answers as if it had it.
            return self._refused(decision, Refused("core answered without having taken it"))
        return self._kept(decision, found.verdict, record)

    def _kept(self, decision: Decision, verdict: CoreVerdict, record: object = None) -> Outcome:
        differs = _differences(decision, verdict)
        self.decisions.keep_core_verdict(decision, verdict, record)
        if not differs:
            return Sent("confirmed")
        log.warning(
            "decision.superseded_by_core",
            event_id=decision.event_id,
            action_id=decision.action_id,
            decided=decision.verdict,
            at_core=verdict.verdict,
            differs=differs,
            hint="somebody else has confirmed this action at core: what core has is kept",
        )
        return Sent(f"core has another {' and another '.join(differs)}, which is kept")

    def _looks(self, decision: Decision, delivery: Delivery) -> int:
        return self.decisions.tries_answered(decision, delivery.id, _UNREADABLE)

    def _looked_at(self, core: CoreEvents, decision: Decision, asked: Asked) -> Outcome | None:
        """Keep the verdict that core's record has; None where the record does not say it."""
        for credential in self._credentials(asked):
            try:
                outcome = core.record(decision.event_id, next(credential.tokens))
            except SystemClientError:
                continue
            if isinstance(outcome, Unavailable):
                return Retry(f"{_UNREADABLE}: {outcome.reason}", outcome.destination_down, outcome.after)
            if isinstance(outcome, Result):
                found = core_record(outcome.json, decision.event_id, decision.action_id)
                if found is not None and found.verdict is not None:
                    return self._kept(decision, found.verdict, outcome.json)
        return None

    def _refused(self, decision: Decision, refused: Refused) -> Outcome:
        self.decisions.conclude(decision, DecisionState.REFUSED)
        if self.client is not None and refused.code in _OF_SCOPES:
            self.client.forget()
        hint = _HINTS.get(refused.code)
        if self.client is None and refused.code is RefusalCode.FORBIDDEN:
            hint = NO_CREDENTIALS
        return Failed(f"core refuses it: {refused.reason}" + (f" ({hint})" if hint else ""))

    def _later(
        self, core: CoreEvents, decision: Decision, asked: Asked, delivery: Delivery, away: Unavailable
    ) -> Outcome:
        if away.reason.startswith(_PLAIN_500):
            tries = self.decisions.tries_answered(decision, delivery.id, _PLAIN_500) + 1
            if tries == _LOOK_AT_TRY and decision.verdict is Verdict.REJECT:
                kept = self._looked_at(core, decision, asked)
                if isinstance(kept, Sent):
                    return kept
            if tries >= _MAX_TRIES_AGAINST_500:
                self.decisions.conclude(decision, DecisionState.REFUSED)
                return Failed(f"core fails on it every time: {away.reason}")
        return Retry(away.reason, away.destination_down, away.after)


@dataclass(frozen=True)
class _Credential:
    """Tokens to confirm with, each for the case that core does not know the one before any more."""

    tokens: Iterator[str]
    is_client: bool = False


def _ruling(decision: Decision) -> Ruling:
    """What was decided, without its registration number."""
    answer = decision.answer
    return Ruling(Verdict.ACCEPT, declaration=answer.get("declaration") or {}, annotation=answer.get("annotation"))


def _tokens_of(client: SystemClient) -> Iterator[str]:
    """The client's token, and another one where the first was refused. Raises SystemClientError."""
    token = client.token()
    yield token
    yield client.renewed(token)


def _is_refused(outcome: Confirmed | Refused | Unavailable, *codes: RefusalCode) -> bool:
    return isinstance(outcome, Refused) and outcome.code in codes


def _differences(decision: Decision, core: CoreVerdict) -> list[str]:
    if core.verdict is not decision.verdict:
        return ["verdict"]
    number = core.registration_number
    return ["registration number"] if number not in (None, decision.answer.get("registrationNumber")) else []
