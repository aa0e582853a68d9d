"""Decisions on event actions, the serials of registration numbers, and API clients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("action_id", sa.Text, primary_key=True),
        sa.Column("trigger_id", sa.Text, sa.ForeignKey("triggers.id"), nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("action_type", sa.Text, nullable=False),
        sa.Column("tracking_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("reason", sa.LargeBinary),
        sa.Column("registration_number", sa.Text, unique=True),
        sa.Column("token", sa.LargeBinary),
        sa.Column("token_expires_at", sa.Double, nullable=False),
        sa.Column("runs", sa.Integer, nullable=False),
        sa.Column("lease_until", sa.Double),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double),
        sa.Column("deadline", sa.Double),
        sa.Column("alerted_at", sa.Double),
    )
    still_open = sa.text("state IN ('deciding', 'deferred', 'confirming', 'refused')")
    op.create_index("decisions_open", "decisions", ["created_at"], postgresql_where=still_open, sqlite_where=still_open)
    with_token = sa.text("token IS NOT NULL")
    op.create_index(
        "decisions_with_token", "decisions", ["token_expires_at"], postgresql_where=with_token, sqlite_where=with_token
    )
    op.create_index("decisions_by_action", "decisions", ["action_id"])
    op.create_index("decisions_by_trigger", "decisions", ["trigger_id"], unique=True)
    op.create_table(
        "serials",
        sa.Column("series", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "clients",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False, unique=True),
        sa.Column("key_hash", sa.Text, nullable=False, unique=True),
        sa.Column("permissions", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("revoked_at", sa.Double),
    )
