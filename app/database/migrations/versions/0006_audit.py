"""Placeholder that keeps the chain whole: overwrite this file with the real audit migration."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
