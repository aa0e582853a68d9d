"""Placeholder that keeps the chain whole: overwrite this file with the real alerts migration."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing yet."""
