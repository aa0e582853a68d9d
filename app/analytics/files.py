"""Records in files: one JSON document a line, plain or gzip, read in batches and from where a reader stopped."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
LONGEST_LINE = 2**24  # bytes
FULL = 2**23  # bytes; a batch with as many takes no further line

_BROKEN = (OSError, EOFError, zlib.error)


class UnreadableFile(Exception):
    """The message names the file."""


@dataclass(frozen=True)
class Position:
    """How much of a file was read: its unpacked bytes, and how many lines these are."""

    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class Batch:
    """Lines of a file, up to `end`, and their numbers. `too_long` are the numbers of lines that are left out for having
    more bytes than LONGEST_LINE; `read` are the bytes of the file itself so far.
    """

    file: Path
    items: list[bytes]
    numbers: list[int]
    too_long: list[int]
    end: Position
    read: int


def files_in(path: Path) -> list[Path]:
    """The file itself, or all of a directory that have one of the SUFFIXES, by name."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))


def batches(file: Path, start: Position, size: int) -> Iterator[Batch]:
    """Of `size` lines each, or of fewer that are FULL. Raises UnreadableFile, after what can be read."""
    try:
        with file.open("rb") as packed:
            lines = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if file.suffix == ".gz" else packed
            lines.seek(start.offset)
            reader = _Reader(lines, start.offset, start.line)
            while not reader.is_at_end:
                reader.read(size)
                if reader.items or reader.too_long:
                    end = Position(reader.offset, reader.line)
                    yield Batch(file, reader.items, reader.numbers, reader.too_long, end, packed.tell())
                if reader.broken is not None:
                    raise reader.broken
    except _BROKEN as error:
        raise UnreadableFile(f"{file} cannot be read to its end: {error}") from error


@dataclass
class _Reader:
    lines: BinaryIO
    offset: int
    line: int
    is_at_end: bool = False
    broken: Exception | None = None
    items: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    too_long: list[int] = field(default_factory=list)

    def read(self, size: int) -> None:
        self.items, self.numbers, self.too_long = [], [], []
        try:
            self._read(size)
        except _BROKEN as error:
            self.broken = error

    def _read(self, size: int) -> None:
        held = 0
        while len(self.items) + len(self.too_long) < size and held < FULL:
            line = self.lines.readline(LONGEST_LINE + 1)
            if not line:
                self.is_at_end = True
                return
            self.offset += len(line)
            self.line += 1
            if len(line) > LONGEST_LINE:
                self.too_long.append(self.line)
                self._pass_over(line)
            elif line.strip():
                self.items.append(line)
                self.numbers.append(self.line)
                held += len(line)

    def _pass_over(self, part: bytes) -> None:
        while part and not part.endswith(b"\n"):
            part = self.lines.readline(LONGEST_LINE)
            self.offset += len(part)
