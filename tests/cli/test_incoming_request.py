"""When a request that comes in pieces is worth a thread."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cli.incoming_request import MAX_BUFFERED_BODY, MAX_HEAD, IncomingRequest, Progress

GET = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


def fed(*pieces: bytes) -> Progress:
    request = IncomingRequest()
    progress = Progress.INCOMPLETE
    for piece in pieces:
        progress = request.feed(piece)
    return progress


@pytest.mark.parametrize(
    ("sent", "progress"),
    [
        (GET, Progress.COMPLETE),
        (GET + GET[:5], Progress.COMPLETE),
        (GET[:-1], Progress.INCOMPLETE),
        (POST, Progress.INCOMPLETE),
        (POST + b"1234", Progress.INCOMPLETE),
        (POST + b"12345", Progress.COMPLETE),
        (POST.replace(b"Content-Length: 5", b"content-length:5 ") + b"12345", Progress.COMPLETE),
        (POST.replace(b"5", b"%d" % (MAX_BUFFERED_BODY + 1)), Progress.STREAMED),
        (POST.replace(b"5", b"%d" % MAX_BUFFERED_BODY), Progress.INCOMPLETE),
        (POST.replace(b"Content-Length: 5", b"Transfer-Encoding: chunked"), Progress.STREAMED),
        (POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"), Progress.STREAMED),
        (POST.replace(b"5", b"many"), Progress.COMPLETE),
        (POST.replace(b"5", b"-5"), Progress.COMPLETE),
        (POST.replace(b"\r\n\r\n", b"\r\nContent-Length: 7\r\n\r\n"), Progress.COMPLETE),
        (b"x" * MAX_HEAD, Progress.INCOMPLETE),
        (b"x" * (MAX_HEAD + 1), Progress.COMPLETE),
    ],
)
def test_a_request_is_whole_where_its_head_says_so(sent: bytes, progress: Progress) -> None:
    assert fed(sent) is progress


@given(st.lists(st.integers(0, len(POST) + 5), max_size=6))
def test_it_makes_no_difference_in_which_pieces_it_comes(cuts: list[int]) -> None:
    whole = POST + b"12345"
    edges = [0, *sorted(cuts), len(whole)]
    pieces = [whole[start:end] for start, end in pairwise(edges)]
    *before, last = [fed(*pieces[: count + 1]) for count in range(len(pieces))]
    assert last is Progress.COMPLETE
    assert all(
        progress is Progress.INCOMPLETE or sum(map(len, pieces[: count + 1])) == len(whole)
        for count, progress in enumerate(before)
    )


@given(st.lists(st.binary(max_size=40), max_size=10))
def test_any_bytes_are_taken_and_none_is_lost(pieces: list[bytes]) -> None:
    request = IncomingRequest()
    for piece in pieces:
        request.feed(piece)
    assert bytes(request.received) == b"".join(pieces)
