"""The variables that infrastructure alerts leave to us: substituted first of all, in every text of POST /email."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from app.settings import Settings

_PLACEHOLDER = re.compile(r"\{\{\s*(ALERT_EMAIL|DOMAIN|SENDER_EMAIL_ADDRESS)\s*\}\}")


def substituted(body: Any, settings: Settings) -> Any:
    """The body with its variables filled in; what is not text, and other placeholders, are left as they are."""
    if not isinstance(body, Mapping):
        return body
    values = {
        "ALERT_EMAIL": settings.alert_email,
        "DOMAIN": settings.domain,
        "SENDER_EMAIL_ADDRESS": settings.sender_email_address,
    }
    return {
        key: _PLACEHOLDER.sub(lambda match: values[match.group(1)], value) if isinstance(value, str) else value
        for key, value in body.items()
    }
