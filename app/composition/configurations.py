"""The event configurations, put together: one for all in a process that ask for them."""

from __future__ import annotations

from app.opencrvs.event_configurations import FRESH_FOR, EventConfigurations
from app.settings import Settings


def event_configurations(settings: Settings, *, fresh_for: float = FRESH_FOR) -> EventConfigurations | None:
    """Those at EVENT_CONFIG_URL, fetched when they are asked for, and again after `fresh_for` seconds."""
    url = settings.event_config_url
    return EventConfigurations(url, fresh_for=fresh_for) if url is not None else None
