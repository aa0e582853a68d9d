"""What core holds against a confirmation, and what it makes of one: the part of the fake that knows no HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_TYPES = {
    "notify": "NOTIFY",
    "declare": "DECLARE",
    "edit": "EDIT",
    "reject": "REJECT",
    "archive": "ARCHIVE",
    "unarchive": "UNARCHIVE",
    "register": "REGISTER",
    "printCertificate": "PRINT_CERTIFICATE",
    "custom": "CUSTOM",
    "correction.request": "REQUEST_CORRECTION",
    "correction.approve": "APPROVE_CORRECTION",
    "correction.reject": "REJECT_CORRECTION",
}
_ALWAYS = {"eventId": str, "actionId": str, "transactionId": str}
_TO_ACCEPT: dict[str, dict[str, type]] = {
    "EDIT": {"content": dict},
    "REJECT": {"content": dict},
    "ARCHIVE": {"content": dict},
    "REGISTER": {"registrationNumber": str},
    "CUSTOM": {"customActionType": str},
    "APPROVE_CORRECTION": {"requestId": str},
    "REJECT_CORRECTION": {"requestId": str, "content": dict},
}
_WITH_REASON = ("REJECT", "ARCHIVE", "REJECT_CORRECTION")
_NO_LATE_REJECT = ("REJECT", "APPROVE_CORRECTION", "REJECT_CORRECTION")


class Problem(Exception):
    """What tRPC answers as an error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Records:
    """The events that core knows, by their ids."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}

    def confirm(
        self, procedure: str, fields: Mapping[str, Any], claims: Mapping[str, Any], *, is_new: bool = False
    ) -> dict[str, Any]:
        """The event as it is afterwards, of core 2.1 where it `is_new`. Raises Problem."""
        action_type, accepted = _parsed(procedure)
        _check_fields(action_type, accepted, fields)
        if any(claims.get(name, fields[name]) != fields[name] for name in ("eventId", "actionId")):
            raise Problem("FORBIDDEN", "The token is for another action")
        event = self.events.get(fields["eventId"])
        if event is None:
            raise Problem("NOT_FOUND", f"Event not found with ID: {fields['eventId']}")
        return self._confirm(event, action_type, accepted, fields, is_new)

    def _confirm(
        self, event: dict[str, Any], action_type: str, accepted: bool, fields: Mapping[str, Any], is_new: bool
    ) -> dict[str, Any]:
        pending = next((action for action in event["actions"] if action["id"] == fields["actionId"]), None)
        if pending is None:
            raise Problem("NOT_FOUND" if accepted else "INTERNAL_SERVER_ERROR", "Action not found.")
        if pending["status"] != "Requested":
            raise Problem("BAD_REQUEST", f"Action {pending['id']} is not awaiting confirmation.")
        if pending["type"] != action_type:
            said = f"Action {pending['id']} is of type {pending['type']}, cannot be confirmed as {action_type}."
            raise Problem("BAD_REQUEST", said)
        location = pending.get("createdAtLocation")
        if pending["createdByUserType"] == "system" and fields.get("createdAtLocation") != location:
            raise Problem("BAD_REQUEST", "createdAtLocation is required for system users")
        for earlier in event["actions"]:
            if earlier.get("originalActionId") == pending["id"]:
                _check_again(earlier, accepted, is_new)
                return event
        self._insert(event, pending, accepted, fields, is_new)
        return event

    def _insert(
        self,
        event: dict[str, Any],
        pending: Mapping[str, Any],
        accepted: bool,
        fields: Mapping[str, Any],
        is_new: bool,
    ) -> None:
        status = "Accepted" if accepted else "Rejected"
        if not accepted and pending["type"] in _NO_LATE_REJECT and not is_new:
            raise Problem("INTERNAL_SERVER_ERROR", "violates check constraint")
        everything = [action for known in self.events.values() for action in known["actions"]]
        identity = (fields["transactionId"], pending["type"], status)
        if any((one["transactionId"], one["type"], one["status"]) == identity for one in everything):
            return  # ON CONFLICT DO NOTHING: the confirmation is lost
        numbers = {one.get("registrationNumber") for one in everything if one["status"] == "Accepted"} - {None}
        if fields.get("registrationNumber") in numbers:
            raise Problem("INTERNAL_SERVER_ERROR", "duplicate key value violates unique constraint")
        event["updatedAt"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event["actions"].append(
            {name: value for name, value in fields.items() if name not in ("eventId", "actionId")}
            | {
                "id": str(uuid.uuid4()),
                "type": pending["type"],
                "status": status,
                "originalActionId": pending["id"],
                "createdAt": event["updatedAt"],
                "createdBy": pending["createdBy"],
                "createdByUserType": pending["createdByUserType"],
                "declaration": fields.get("declaration", {}),
            }
        )

    def answer_elsewhere(self, event_id: str, action_id: str, answer: Mapping[str, Any]) -> None:
        """Have somebody else confirm an action of an event."""
        event = self.events[event_id]
        (pending,) = (action for action in event["actions"] if action["id"] == action_id)
        self._append(event, pending, {"status": "Accepted", "declaration": {}, **answer})

    def note_reading(self, event: dict[str, Any]) -> None:
        """Core keeps who has read a record in the record."""
        template = {name: event["actions"][0][name] for name in ("createdBy", "createdByUserType")}
        self._append(event, template, {"type": "READ", "status": "Accepted", "declaration": {}, "transactionId": "r"})

    @staticmethod
    def _append(event: dict[str, Any], like: Mapping[str, Any], action: Mapping[str, Any]) -> None:
        event["updatedAt"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        own = {"id": str(uuid.uuid4()), "createdAt": event["updatedAt"]}
        if "id" in like:
            own["originalActionId"] = like["id"]
        kept = ("type", "transactionId", "createdBy", "createdByUserType")
        event["actions"].append({name: like[name] for name in kept if name in like} | own | dict(action))


def _parsed(procedure: str) -> tuple[str, bool]:
    path, _, verb = procedure.removeprefix("event.actions.").rpartition(".")
    if not procedure.startswith("event.actions.") or path not in _TYPES or verb not in ("accept", "reject"):
        raise Problem("NOT_FOUND", f'No "mutation"-procedure on path "{procedure}"')
    return _TYPES[path], verb == "accept"


def _check_fields(action_type: str, accepted: bool, fields: Mapping[str, Any]) -> None:
    wanted = _ALWAYS | ({"declaration": dict} | _TO_ACCEPT.get(action_type, {}) if accepted else {})
    wrong = [name for name, kind in wanted.items() if not isinstance(fields.get(name), kind)]
    wrong += [] if isinstance(fields.get("annotation", {}), dict) else ["annotation"]
    wrong += [name for name, value in fields.items() if value is None]
    if accepted and action_type in _WITH_REASON and not wrong and not fields["content"].get("reason"):
        wrong.append("reason")
    if wrong:
        raise Problem("BAD_REQUEST", json.dumps([{"code": "invalid_type", "path": [name]} for name in wrong]))


def _check_again(earlier: Mapping[str, Any], accepted: bool, is_new: bool) -> None:
    """The same verdict twice is harmless. Core 2.0 hides that an action was accepted before behind a plain failure."""
    if accepted and earlier["status"] == "Rejected":
        raise Problem("BAD_REQUEST", "Action has already been rejected.")
    if not accepted and earlier["status"] == "Accepted":
        raise Problem("BAD_REQUEST" if is_new else "INTERNAL_SERVER_ERROR", "Action has already been accepted.")
