"""How we call core, put together."""

from __future__ import annotations

from app.opencrvs.system_client import SystemClient
from app.settings import Settings


def system_client(settings: Settings) -> SystemClient | None:
    """Our own client at core, where the settings have its credentials and say where core gives tokens."""
    auth_url = settings.auth_url or (f"{settings.gateway_url}/auth" if settings.gateway_url else None)
    if settings.system_client is None or auth_url is None:
        return None
    return SystemClient(auth_url, settings.system_client)
