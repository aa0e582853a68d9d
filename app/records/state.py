"""The state of a record: which action is pending, and what its declaration is, as core computes both.

Section 2 of the contract. What is returned shares its parts with the document and with other states: read it, and
merge into it, never change it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.records.actions import Action, is_known
from app.records.schema import EventDocument

Declaration = dict[str, Any]
"""Values by the ids of their fields, such as `child.name`."""

WITHOUT_EFFECT = frozenset({"REQUEST_CORRECTION", "PRINT_CERTIFICATE", "REJECT_CORRECTION"})
"""Types whose own declaration never becomes part of the record's. Nor does that of a type that is not known here."""


class NoPendingAction(Exception):
    """No action of the document waits for an answer, or not the one that was named."""


class SeveralPendingActions(Exception):
    """More than one action waits for an answer, and none was named. `ids` are theirs."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(f"{len(ids)} actions are pending: say which one, of {', '.join(ids)}")
        self.ids = ids


def pending_action(document: EventDocument, action_id: str | None = None) -> Action:
    """The action that waits for an answer: Requested, and neither accepted nor rejected since.

    `action_id` (the token's) says which one is meant. Raises NoPendingAction and SeveralPendingActions.
    """
    answered = {action.original_action_id for action in document.actions if action.status != "Requested"}
    pending = [action for action in document.actions if action.status == "Requested" and action.id not in answered]
    if action_id is not None:
        pending = [action for action in pending if action.id == action_id]
    if not pending:
        raise NoPendingAction(
            "No action of this document is pending" if action_id is None else f"Action {action_id} is not pending"
        )
    if len(pending) > 1:
        raise SeveralPendingActions([action.id for action in pending])
    return pending[0]


def aggregated_declaration(document: EventDocument) -> Declaration:
    """The declaration after all accepted actions."""
    last: Declaration = {}
    for _, state in states(document):
        last = state
    return last


def merged_declaration(document: EventDocument, pending: Action) -> Declaration:
    """What the declaration will be if `pending` is accepted without additions."""
    return merge(aggregated_declaration(document), pending.declaration)


def declaration_if_accepted(document: EventDocument, pending: Action) -> Declaration:
    """What the declaration will be once `pending` is accepted, the correction that it approves included."""
    state = aggregated_declaration(document)
    requested, accepted = _first_by_id(document, "Requested"), _first_by_id(document, "Accepted")
    for declaration in _brought_by(pending, requested, accepted):
        state = merge(state, declaration)
    return state


def states(document: EventDocument, *, create_first: bool = False) -> Iterator[tuple[Action, Declaration]]:
    """Each accepted action of a known type, by `created_at`, with the declaration of the record after it.

    `create_first` takes a CREATE for the first action, whenever it was.

    A step costs what its action declares, and one flat copy of the declaration's first level where it declares
    anything. Values that do not change are the same objects from state to state.
    """
    requested = _first_by_id(document, "Requested")
    accepted = _first_by_id(document, "Accepted")
    state: Declaration = {}
    for action in sorted(
        (action for action in document.actions if action.status == "Accepted" and is_known(action)),
        key=lambda action: (create_first and action.type != "CREATE", action.created_at),
    ):
        for declaration in _brought_by(action, requested, accepted):
            if declaration:
                state = merge(state, declaration)
        yield action, state


def _brought_by(
    action: Action, requested: Mapping[str, Action], accepted: Mapping[str, Action]
) -> Iterator[Declaration]:
    """The declarations that an accepted action adds to the record, in order."""
    if action.type in WITHOUT_EFFECT or not is_known(action):
        return
    if action.type == "APPROVE_CORRECTION":
        correction = accepted.get(action.request_id or "")
        if correction is None:
            return
        yield from _complete(correction, requested)
    yield from _complete(action, requested)


def _complete(action: Action, requested: Mapping[str, Action]) -> Iterator[Declaration]:
    """What an accepted action was asked with, and what its acceptance added."""
    original = requested.get(action.original_action_id or "")
    if original is not None:
        yield original.declaration
    yield action.declaration


def _first_by_id(document: EventDocument, status: str) -> dict[str, Action]:
    found: dict[str, Action] = {}
    for action in document.actions:
        if action.status == status and is_known(action):
            found.setdefault(action.id, action)
    return found


def merge(base: Mapping[str, Any], addition: Mapping[str, Any]) -> Declaration:
    """`addition` laid over `base`, as core does it: a new object that shares its parts with both.

    Objects are merged key by key at any depth. Everything else replaces what was there, arrays and null too, except
    that an object does not replace an array: the array stays.
    """
    merged = dict(base)
    open_pairs: list[tuple[dict[str, Any], Mapping[str, Any]]] = [(merged, addition)]
    while open_pairs:  # no recursion: values may be nested deeper than Python's stack
        target, source = open_pairs.pop()
        for key, value in source.items():
            there = target.get(key)
            if not isinstance(value, dict) or not isinstance(there, dict | list):
                target[key] = value
            elif isinstance(there, dict):
                target[key] = inner = dict(there)
                open_pairs.append((inner, value))
    return merged
