"""Forms are learned when the program is loaded, not by the threads that read the first documents."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# In an interpreter of its own: in this one, other tests have read documents already.
_PROGRAM = """
import sys
from contextlib import suppress
from app.records import validation
from app.records.actions import FORMS

learned = []

def look(frame, event, _):
    if event == "call" and "msgspec" in frame.f_code.co_filename:
        learned.append(frame.f_code.co_name)

TEXTS = ("id", "transactionId", "createdAt", "createdBy", "createdByUserType", "requestId", "assignedTo",
         "customActionType")
WHOLE = dict.fromkeys(TEXTS, "user") | {"declaration": {}}
CONTENTS = {"reason": "x", "duplicateOf": "x", "duplicates": [{"id": "x", "trackingId": "y"}]}, {}
values = [known | {"type": kind, "status": status, "content": content}
          for kind in FORMS for status in ("Accepted", "Rejected") for known in (WHOLE, {}) for content in CONTENTS]
sys.setprofile(look)
for value in values:
    with suppress(validation.InvalidAction):
        validation.action(value)
sys.setprofile(None)
print(len(values), *learned)
"""


def test_no_class_is_learned_by_who_reads_an_action() -> None:
    """msgspec learns a class by Python code of its own, which lets in other threads while it is half learned."""
    ran = subprocess.run(
        [sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    read, *learned = ran.stdout.split()
    assert int(read) > 0
    assert learned == []
