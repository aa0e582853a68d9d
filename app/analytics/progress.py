"""How far a reindex from files has come, written down so that one that was stopped goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Progress:
    """`offsets` are bytes of the files' unpacked content, by path; all before them is committed."""

    offsets: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    received: int = 0
    written: int = 0
    skipped: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Progress:
        """What was kept; from the start where nothing was, or nothing that can be read."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return cls()

    def start_of(self, file: Path) -> int:
        """Where to go on; at the start, where the file is another by now."""
        if self.sizes.get(str(file)) != file.stat().st_size:
            return 0
        return self.offsets.get(str(file), 0)

    def reached(self, file: Path, offset: int) -> None:
        self.offsets[str(file)] = offset
        self.sizes[str(file)] = file.stat().st_size

    def keep(self, path: Path) -> None:
        """Whole or not at all."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)), encoding="utf-8")
        draft.replace(path)
