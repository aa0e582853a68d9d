"""For how long another server asks us to wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def pause(retry_after: str | None, longest: float) -> float | None:
    """Seconds from a Retry-After header, which has them or a date (RFC 9110 section 10.2.3); `longest` at most."""
    if retry_after is None:
        return None
    if re.fullmatch(r"[0-9]+", retry_after):
        return min(float(retry_after), longest)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max((at - datetime.now(UTC)).total_seconds(), 0.0), longest)
