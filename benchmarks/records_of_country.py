"""Made-up records, as many as are wanted: birth events of 8 actions and 11 KB, with ids and a number of their own."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

FIELDS = [f"{person}.{field}" for person in ("mother", "father", "informant") for field in ("dob", "age", "education")]
MARKED = ["child.dob", "child.gender", "child.weight", "child.birthType", "child.place", *FIELDS]


def batch(first: int, size: int = 300) -> list[bytes]:
    """JSON texts of so many records; the same for the same numbers."""
    return [record(number) for number in range(first, first + size)]


def record(number: int) -> bytes:
    made = random.Random(number)
    declaration = _declaration(made)
    ids = [str(uuid.UUID(int=made.getrandbits(128), version=4)) for _ in range(10)]
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("CREATE", "Accepted", {}),
        ("DECLARE", "Requested", {"declaration": declaration, "annotation": {"review.comment": "clear"}}),
        ("DECLARE", "Accepted", {"originalActionId": ids[2]}),
        ("ASSIGN", "Accepted", {"assignedTo": ids[9]}),
        ("EDIT", "Accepted", {"declaration": declaration | {"child.weight": 3100}, "content": {}}),
        ("REGISTER", "Requested", {"declaration": declaration | {"child.weight": 3200}}),
        ("REGISTER", "Accepted", {"originalActionId": ids[6], "registrationNumber": f"2026-{number:09}"}),
        ("PRINT_CERTIFICATE", "Accepted", {"content": {"templateId": "birth-certificate"}}),
    ]
    actions = [
        {
            "id": ids[position + 1],
            "type": kind,
            "status": status,
            "transactionId": ids[0],
            "createdByUserType": "user",
            "createdAt": f"2026-02-{1 + number % 28:02}T08:0{position}:00.000Z",
            "createdBy": ids[9],
            "createdByRole": "REGISTRATION_AGENT",
            "createdAtLocation": str(uuid.UUID(int=number % 500, version=4)),
            "declaration": {},
        }
        | own
        for position, (kind, status, own) in enumerate(steps)
    ]
    event = {
        "id": ids[0],
        "type": "birth",
        "createdAt": actions[0]["createdAt"],
        "updatedAt": actions[-1]["createdAt"],
        "trackingId": f"T{number:08}",
        "actions": actions,
    }
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _declaration(made: random.Random) -> dict[str, Any]:
    declared: dict[str, Any] = {
        "child.dob": f"2026-01-{made.randint(1, 28):02}",
        "child.gender": made.choice(["female", "male"]),
        "child.weight": made.randint(2000, 4500),
        "child.birthType": "SINGLE",
        "child.place": "HEALTH_FACILITY",
        "child.name": {"firstname": "Amina", "surname": "Nakamba"},
    }
    declared |= dict.fromkeys(FIELDS, "1999-12-31")
    for person in ("mother", "father", "informant"):
        declared[f"{person}.name"] = {"firstname": "Chanda", "surname": f"Mwila {made.randint(1, 99)}"}
        declared[f"{person}.address"] = {
            "country": "FAR",
            "addressType": "DOMESTIC",
            "administrativeArea": str(uuid.UUID(int=made.getrandbits(128), version=4)),
            "streetLevelDetails": {"town": "Ilanga", "street": "14 Independence Avenue", "number": "a" * 40},
        }
        declared |= {
            f"{person}.{field}": f"{field} {made.getrandbits(60)}" for field in ("nid", "phone", "job", "faith")
        }
        declared |= {f"{person}.note{number}": "some twenty characters and more of text" for number in range(5)}
    return declared
