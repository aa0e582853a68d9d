"""Placeholder that keeps the chain whole: overwrite this file with the real provider_ids migration."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
