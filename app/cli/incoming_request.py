"""What has come of a request until now, and whether a thread is worth spending on it.

Pure: bytes go in, and a state comes out. Nothing is judged here but how much is still to come; gunicorn's own parser
reads the same bytes again, and refuses what is wrong with them.
"""

from __future__ import annotations

import re
from enum import StrEnum

MAX_HEAD = 262_144  # bytes; gunicorn refuses a head that is longer than its limits itself
MAX_BUFFERED_BODY = 262_144  # bytes; a larger body is read by the thread that needs it

_HEAD_ENDS = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
_STREAMED = re.compile(rb"\r\n(?:transfer-encoding|expect|upgrade):", re.IGNORECASE)


class Progress(StrEnum):
    """How far a request has come."""

    INCOMPLETE = "incomplete"
    COMPLETE = "complete"  # head and body are here, or all that gunicorn needs to refuse it
    STREAMED = "streamed"  # the head is here, and the body is too large to be waited for, or of unknown length


class IncomingRequest:
    """The first bytes of a request on a connection, as they come."""

    def __init__(self) -> None:
        self.received = bytearray()
        self._needed: int | None = None
        self._is_streamed = False

    def feed(self, data: bytes) -> Progress:
        """Take what has come, and return how far the request is."""
        searched_from = max(0, len(self.received) - len(_HEAD_ENDS))
        self.received += data
        if self._needed is None and not self._is_streamed:
            self._read_head(searched_from)
        if self._is_streamed:
            return Progress.STREAMED
        if self._needed is None:
            return Progress.COMPLETE if len(self.received) > MAX_HEAD else Progress.INCOMPLETE
        return Progress.COMPLETE if len(self.received) >= self._needed else Progress.INCOMPLETE

    def _read_head(self, searched_from: int) -> None:
        end = self.received.find(_HEAD_ENDS, searched_from)
        if end < 0:
            return
        head = bytes(self.received[: end + 2])
        lengths = _LENGTH.findall(head)
        if _STREAMED.search(head) or (lengths and int(lengths[0]) > MAX_BUFFERED_BODY):
            self._is_streamed = True
            return
        self._needed = end + len(_HEAD_ENDS) + (int(lengths[0]) if len(lengths) == 1 else 0)
