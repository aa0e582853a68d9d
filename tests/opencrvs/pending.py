"""Actions that wait for their confirmation, and confirmations of them."""

from __future__ import annotations

from typing import Any

import msgspec

from app.opencrvs.confirmations import Confirmation
from app.records.actions import CONFIRMABLE, Action

EVENT = "9a8b7c6d-1111-4222-8333-444455556666"
ACTION = "0af18fbd-617e-4c0b-ad46-cd211f828526"
REQUEST = "5f3b1c2d-aaaa-4bbb-8ccc-ddddeeeeffff"
OFFICE = "7b7d1b32-2222-4333-9444-555566667777"
TOKEN = "the-token-of-the-action"

OWN: dict[str, dict[str, Any]] = {
    "NOTIFY": {},
    "DECLARE": {},
    "EDIT": {"content": {}},
    "REJECT": {"content": {"reason": "illegible"}},
    "ARCHIVE": {"content": {"reason": "a duplicate"}},
    "UNARCHIVE": {},
    "REGISTER": {},
    "PRINT_CERTIFICATE": {"content": {"templateId": "birth-certificate"}},
    "CUSTOM": {"customActionType": "VERIFY_ADDRESS"},
    "REQUEST_CORRECTION": {},
    "APPROVE_CORRECTION": {"requestId": REQUEST},
    "REJECT_CORRECTION": {"requestId": REQUEST, "content": {"reason": "not proven"}},
}
"""What the pending action of each type has of its own, and core wants to see again when it is accepted."""

PATHS = {
    "NOTIFY": "notify",
    "DECLARE": "declare",
    "EDIT": "edit",
    "REJECT": "reject",
    "ARCHIVE": "archive",
    "UNARCHIVE": "unarchive",
    "REGISTER": "register",
    "PRINT_CERTIFICATE": "printCertificate",
    "CUSTOM": "custom",
    "REQUEST_CORRECTION": "correction.request",
    "APPROVE_CORRECTION": "correction.approve",
    "REJECT_CORRECTION": "correction.reject",
}


def pending_json(action_type: str, **changes: Any) -> dict[str, Any]:
    action = {
        "id": ACTION,
        "type": action_type,
        "transactionId": "t1",
        "createdByUserType": "user",
        "createdAt": "2026-07-01T08:00:00.000Z",
        "createdBy": "63d19f9b-3333-4444-8555-666677778888",
        "createdAtLocation": OFFICE,
        "declaration": {"child.name": {"firstname": "Amina"}},
        "annotation": {"comment": "urgent"},
        "status": "Requested",
    }
    return action | OWN[action_type] | changes


def pending(action_type: str, **changes: Any) -> Action:
    action: Action = msgspec.convert(pending_json(action_type, **changes), CONFIRMABLE[action_type].action)
    return action


def event(action_type: str, **changes: Any) -> dict[str, Any]:
    return {"id": EVENT, "actions": [pending_json(action_type, **changes)]}


def accepting(action_type: str, **additions: Any) -> Confirmation:
    if action_type == "REGISTER":
        additions = {"registration_number": "2026LSK00012"} | additions
    return Confirmation.accepting(EVENT, pending(action_type), **additions)


def rejecting(action_type: str) -> Confirmation:
    return Confirmation.rejecting(EVENT, pending(action_type))
