"""What is wrong with a file of a country, for whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.notifications.errors import MessageError


@dataclass(frozen=True)
class Fault:
    """`what` follows the name of the file; `line` counts from 1, None where it is the file as a whole."""

    what: str
    cure: str
    line: int | None = None


class UnusableFile(MessageError):
    """A file that no message can be made with; says all that is wrong with it."""

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        self.path = path
        self.faults = faults
        super().__init__("\n".join(f"{path}{_at(one.line)} {one.what}: {one.cure}" for one in faults))


def _at(line: int | None) -> str:
    return f", line {line}," if line else ""
