"""How far a reindex from files has come, written down so that one that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from app.analytics.files import Position, UnreadableFile


@dataclass
class FileProgress:
    """All before `offset` and `line` is committed. `modified` is in nanoseconds since 1970."""

    size: int
    modified: int
    offset: int = 0
    line: int = 0
    received: int = 0
    written: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line)

    def reached(self, position: Position) -> None:
        self.offset, self.line = position.offset, position.line

    def count_skipped(self, reason: str) -> None:
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


@dataclass
class Progress:
    """By the files' paths. `made_for` names what is written to, and by which marks; `last` is an event that has rows
    there since.
    """

    made_for: str = ""
    last: str = ""
    files: dict[str, FileProgress] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Progress:
        """What was kept; from the start where nothing was, or nothing that can be read."""
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                kept["made_for"], kept["last"], {name: FileProgress(**file) for name, file in kept["files"].items()}
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def of(self, file: Path) -> FileProgress:
        """At its start, with nothing counted, where the file is another by now. Raises UnreadableFile."""
        try:
            found = file.stat()
        except OSError as error:
            raise UnreadableFile(f"{file} cannot be read: {error.strerror}") from error
        known = self.files.get(str(file))
        if known is None or (known.size, known.modified) != (found.st_size, found.st_mtime_ns):
            known = self.files[str(file)] = FileProgress(found.st_size, found.st_mtime_ns)
        return known

    @property
    def received(self) -> int:
        return sum(file.received for file in self.files.values())

    @property
    def written(self) -> int:
        return sum(file.written for file in self.files.values())

    @property
    def skipped(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for file in self.files.values():
            counted.update(file.skipped)
        return counted

    def keep(self, path: Path) -> None:
        """Whole or not at all."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(path)
