"""Confirmations that wait are not given up any more: those of an older version had four days."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.execute(
        "UPDATE deliveries SET give_up_at = NULL WHERE channel = 'confirmation' AND state IN ('queued', 'sending')"
    )
