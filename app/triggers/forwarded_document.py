"""The event document as the receivers of FORWARD_ACTIONS_TO get it.

The shape is that of OpenCRVS's own country config (opencrvs-core, packages/testland/src/index.ts, the `onPostHandler`
extension, read in November 2026): the whole document that core sent, in which the last action has `status` `Accepted`
and, for REGISTER, the `registrationNumber` of the answer. Neither the other keys of that action, such as its id, nor
what the answer adds to the declaration are changed or put in.

It differs in two points. There the last action is changed whatever the answer was, here only when it was accepted: a
document must not say of a rejected or open action that it is accepted. There it is the last action by position, here
the action that core asked about. They are nearly always the same one, and where they are not, the last action is one
that nobody has asked about and whose status is what core says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_OF_PEOPLE = ("declaration", "annotation", "content")  # the parts of an action that users fill in
_SHORTEST_HIDDEN = 3  # characters; shorter values stand in too many innocent words


def accepted_document(
    document: Mapping[str, Any], action_id: str, registration_number: str | None
) -> Mapping[str, Any]:
    """Return the document with its pending action accepted; everything else is shared with `document`."""
    changes = {"status": "Accepted"}
    if registration_number is not None:
        changes["registrationNumber"] = registration_number
    actions = [
        {**action, **changes} if action["id"] == action_id and action["status"] == "Requested" else action
        for action in document["actions"]
    ]
    return {**document, "actions": actions}


def hide_values(text: str, document: Mapping[str, Any]) -> str:
    """Return `text` without the values that users have filled in: a receiver may quote them in its answer."""
    found = {value for value in _filled_in(document) if len(value) >= _SHORTEST_HIDDEN and value in text}
    for value in sorted(found, key=len, reverse=True):
        text = text.replace(value, "***")
    return text


def _filled_in(document: Mapping[str, Any]) -> Iterator[str]:
    waiting = [action.get(part) for action in document["actions"] for part in _OF_PEOPLE]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
