"""The rows of an event written down plainly: on the bare JSON, each state computed from nothing, so quadratic."""

from __future__ import annotations

from typing import Any

from tests.records.model import Json, model_merge, model_state

OWN_FIELDS = {
    "custom_action_type": "customActionType",
    "assigned_to": "assignedTo",
    "created_at_location": "createdAtLocation",
    "created_by": "createdBy",
    "created_by_role": "createdByRole",
    "created_by_signature": "createdBySignature",
    "created_by_user_type": "createdByUserType",
    "original_action_id": "originalActionId",
    "registration_number": "registrationNumber",
    "request_id": "requestId",
    "status": "status",
    "transaction_id": "transactionId",
    "action_type": "type",
    "created_at": "createdAt",
    "id": "id",
}


def model_rows(event: Json, declared: set[str], annotated: set[str]) -> list[Json]:
    """One row for each accepted action, CREATE first, with JSON columns parsed."""
    history = event["actions"]
    accepted = sorted((one for one in history if one["status"] == "Accepted"), key=lambda one: str(one["createdAt"]))
    accepted = [one for one in accepted if one["type"] == "CREATE"] + [
        one for one in accepted if one["type"] != "CREATE"
    ]
    rows = []
    for position, one in enumerate(accepted):
        until_then = accepted[: position + 1]
        row = {column: one.get(name) for column, name in OWN_FIELDS.items()}
        row["event_type"], row["event_id"] = event["type"], event["id"]
        row["declaration"] = kept(model_state(history, until_then), declared)
        row["annotation"] = annotation(history, one, annotated)
        row["declared_at"], row["registered_at"] = first(history, "DECLARE"), first(history, "REGISTER")
        row["content"] = content(one)
        rows.append(row)
    return rows


def content(one: Json) -> Json | None:
    """What the contract names of it."""
    said: Json = one.get("content") or {}
    match one["type"]:
        case "REJECT" | "ARCHIVE" | "REJECT_CORRECTION":
            named = {"reason": said["reason"]}
        case "EDIT":
            named = {"comment": said.get("comment")}
        case "PRINT_CERTIFICATE" if said:
            named = {"templateId": said.get("templateId")}
        case "MARK_AS_DUPLICATE" if said:
            named = {"duplicateOf": said["duplicateOf"]}
        case "DUPLICATE_DETECTED":
            named = {"duplicates": [{"id": two["id"], "trackingId": two["trackingId"]} for two in said["duplicates"]]}
        case _:
            return None
    return {name: value for name, value in named.items() if value is not None}


def kept(values: Json, fields: set[str]) -> Json:
    return {
        field.replace(".", "_"): without_nulls(value)
        for field, value in values.items()
        if field in fields and value is not None
    }


def annotation(history: list[Json], accepted: Json, fields: set[str]) -> Json | None:
    asked = [one for one in history if one["status"] == "Requested" and one["id"] == accepted.get("originalActionId")]
    both = [one["annotation"] for one in [*asked[:1], accepted] if one.get("annotation") is not None]
    if not both:
        return None
    merged: Json = {}
    for part in both:
        merged = model_merge(merged, part)
    return kept(merged, fields)


def first(history: list[Json], kind: str) -> Any:
    for one in history:
        if one["type"] == kind:
            return one["createdAt"]
    return None


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value
