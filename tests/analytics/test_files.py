"""Files of records, read in batches."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.analytics.files import FULL, LONGEST_LINE, Position, batches


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(gzip.compress(content, 1) if file.suffix == ".gz" else content)
    return file


@pytest.fixture(params=["a.jsonl", "a.jsonl.gz"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def test_a_batch_ends_with_so_many_lines(file: Path) -> None:
    found = list(batches(written(file, b"1\n2\n\n3\n4\n5"), Position(), 2))
    assert [batch.items for batch in found] == [[b"1\n", b"2\n"], [b"3\n", b"4\n"], [b"5"]]
    assert [batch.end for batch in found] == [Position(4, 2), Position(9, 5), Position(10, 6)]


def test_a_batch_ends_where_it_is_full(file: Path) -> None:
    line = b"x" * (FULL // 2) + b"\n"
    assert [len(batch.items) for batch in batches(written(file, line * 5), Position(), 300)] == [2, 2, 1]


def test_a_reader_goes_on_from_any_batch(file: Path) -> None:
    written(file, b"".join(b"%d\n" % number for number in range(10)))
    whole = list(batches(file, Position(), 3))
    for done, batch in enumerate(whole, 1):
        assert list(batches(file, batch.end, 3)) == whole[done:]


@pytest.mark.parametrize("more", [1, LONGEST_LINE, 2 * LONGEST_LINE])
@pytest.mark.parametrize("after", [b"", b"\n", b"\nlast\n"])
def test_a_line_that_is_too_long_is_passed_over(file: Path, more: int, after: bytes) -> None:
    content = b"first\n" + b"x" * (LONGEST_LINE + more) + after
    (batch,) = batches(written(file, content), Position(), 300)
    assert batch.items == [b"first\n", *([b"last\n"] if after == b"\nlast\n" else [])]
    assert batch.too_long == [2]
    assert batch.end.offset == len(content)


def test_a_line_that_is_just_not_too_long_is_read(file: Path) -> None:
    line = b"x" * (LONGEST_LINE - 1) + b"\n"
    found = list(batches(written(file, line * 2), Position(), 300))
    assert [batch.items for batch in found] == [[line], [line]]
