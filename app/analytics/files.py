"""Records in files: one JSON document a line, plain or gzip, read in batches and from where a reader stopped."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
_LONGEST_LINE = 2**26  # bytes


@dataclass(frozen=True)
class Batch:
    """Lines of a file. `end` is behind the last, in unpacked bytes; `read` are the bytes of the file itself so far."""

    file: Path
    items: list[bytes]
    end: int
    read: int


def files_in(path: Path) -> list[Path]:
    """The file itself, or all of a directory that have one of the SUFFIXES, by name."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.name.endswith(SUFFIXES))


def batches(file: Path, start: int, size: int) -> Iterator[Batch]:
    """From `start` in unpacked bytes, `size` lines each. Raises OSError and EOFError."""
    with file.open("rb") as packed:
        lines = cast("BinaryIO", gzip.GzipFile(fileobj=packed)) if file.suffix == ".gz" else packed
        lines.seek(start)
        items: list[bytes] = []
        end = start
        while line := lines.readline(_LONGEST_LINE):
            end += len(line)
            if line.strip():
                items.append(line)
            if len(items) == size:
                yield Batch(file, items, end, packed.tell())
                items = []
        if items:
            yield Batch(file, items, end, packed.tell())
