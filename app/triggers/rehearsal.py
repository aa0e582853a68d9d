"""Every message there is, with sample values: a broken one stops the start, not a person's notification."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import structlog
from marshmallow import Schema, fields

from app.notifications.catalogue import ALERT, DECISION_OPEN, FAMILIES, NEWS_OF, informant_message
from app.notifications.checks.messages import Rehearsed
from app.notifications.checks.problems import Problem, Severity
from app.notifications.errors import MessageError
from app.notifications.planning import Policy
from app.notifications.sample import Sample
from app.notifications.variables import MessageVariables, informant_variables
from app.triggers.catalogue import TriggerType
from app.triggers.samples import (
    DECISION_OPEN_SAMPLE,
    LONG_VALUES,
    SAMPLE_VARIABLES,
    USER_SAMPLES,
    informant_sample,
)

log = structlog.get_logger()


class BrokenMessages(MessageError):
    """Messages that would reach people wrong, or not at all; says of each what to mend."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = problems
        listed = "\n".join(f"  - {one.where}: {one.what}: {one.cure}" for one in problems)
        super().__init__(f"Some messages cannot go out like this:\n{listed}")


def stop_if_broken(problems: Iterable[Problem]) -> None:
    """Log what is wrong with how messages look. Raises BrokenMessages where one cannot go out as it should."""
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    for problem in errors:
        if problem.goes_out:
            log.warning("message.flawed", where=problem.where, what=problem.what, cure=problem.cure)
    broken = [problem for problem in errors if not problem.goes_out]
    if broken:
        raise BrokenMessages(broken)


def user_samples(kinds: Iterable[TriggerType], variables: MessageVariables) -> list[Sample]:
    """Of the messages that these triggers cause, save those that come with their own words."""
    return [
        Sample(kind.message, variables.of_payload(kind.message.name, _sample(kind)), LONG_VALUES)
        for kind in kinds
        if kind.message is not ALERT
    ]


def informant_samples() -> list[Sample]:
    """Of all that informants are told."""
    return [
        Sample(
            message, informant_variables(message, event_type, **informant_sample(event_type, action_type)), LONG_VALUES
        )
        for event_type in (*FAMILIES, "adoption")
        for action_type in NEWS_OF
        if (message := informant_message(event_type, action_type)) is not None
    ]


def samples(kinds: Iterable[TriggerType], variables: MessageVariables = SAMPLE_VARIABLES) -> list[Sample]:
    """Of all messages that there are."""
    return [*user_samples(kinds, variables), *informant_samples(), Sample(DECISION_OPEN, DECISION_OPEN_SAMPLE)]


def rehearsed(
    kinds: Iterable[TriggerType], to_users: Policy, to_informants: Policy, variables: MessageVariables
) -> list[Rehearsed]:
    """All messages, for the channels by which they go with these policies."""
    return [
        *(Rehearsed(sample, to_users.channels_to_users) for sample in user_samples(kinds, variables)),
        *(Rehearsed(sample, to_informants.channels) for sample in informant_samples()),
        Rehearsed(Sample(DECISION_OPEN, DECISION_OPEN_SAMPLE), {"email"}),
    ]


def _sample(kind: TriggerType) -> Mapping[str, Any]:
    """A payload in which every field has a value."""
    ours = USER_SAMPLES.get(kind.path.removeprefix("user/"))
    return ours if ours is not None else _filled(kind.schema)


def _filled(schema: Schema) -> dict[str, Any]:
    name = {"firstname": "Amina", "surname": "Mwale"}
    texts = {key: key for key, declared in schema.fields.items() if isinstance(declared, fields.String)}
    return {"recipient": {"name": name}, **texts}
