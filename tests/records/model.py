"""The state of a record written down plainly: recursive, on the bare JSON, each state computed from nothing."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def model_merge(base: Any, addition: Any) -> Any:
    if isinstance(base, dict) and isinstance(addition, dict):
        return {
            key: model_merge(base[key], addition[key]) if key in base and key in addition else {**base, **addition}[key]
            for key in [*base, *addition]
        }
    return base if isinstance(base, list) and isinstance(addition, dict) else addition


def model_declarations(history: list[Json], accepted: Json) -> list[Json]:
    """What one accepted action was asked with, if that is known, and what it declares itself."""
    asked = [one for one in history if one["status"] == "Requested" and one["id"] == accepted.get("originalActionId")]
    return [one["declaration"] for one in [*asked[:1], accepted]]


def model_states(history: list[Json]) -> list[Json]:
    """The state after each accepted action: each computed from nothing."""
    in_order = sorted((one for one in history if one["status"] == "Accepted"), key=lambda one: str(one["createdAt"]))
    return [model_state(history, in_order[: count + 1]) for count in range(len(in_order))]


def model_state(history: list[Json], until_then: list[Json]) -> Json:
    applied: list[Json] = []
    for one in until_then:
        if one["type"] in {"REQUEST_CORRECTION", "PRINT_CERTIFICATE", "REJECT_CORRECTION"}:
            continue
        if one["type"] == "APPROVE_CORRECTION":
            named = [other for other in history if other["status"] == "Accepted" and other["id"] == one["requestId"]]
            if not named:
                continue
            applied += model_declarations(history, named[0])
        applied += model_declarations(history, one)
    state: Json = {}
    for declaration in applied:
        state = model_merge(state, declaration)
    return state
