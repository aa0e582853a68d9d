"""Triggers, deliveries, attempts, destinations and the inbox."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "triggers",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary),
        sa.Column("erased_at", sa.Double),
    )
    _partial_index("triggers_fingerprint", "triggers", ["fingerprint", "received_at"], "fingerprint IS NOT NULL")
    _partial_index("triggers_with_secrets", "triggers", ["id"], "secrets IS NOT NULL")
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("trigger_id", sa.Text, sa.ForeignKey("triggers.id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("message", sa.Text),
        sa.Column("recipient", sa.Text),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("due_at", sa.Double, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("give_up_at", sa.Double),
        sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("lease_until", sa.Double),
        sa.Column("ended_at", sa.Double),
        sa.Column("provider_id", sa.Text),
        sa.Column("payload", sa.LargeBinary),
        sa.UniqueConstraint("trigger_id", "key", name="deliveries_owed_once"),
    )
    _partial_index("deliveries_due", "deliveries", ["destination", "priority", "due_at"], "state = 'queued'")
    _partial_index("deliveries_leased", "deliveries", ["lease_until"], "state = 'sending'")
    _partial_index("deliveries_expiring", "deliveries", ["expires_at"], "state = 'queued' AND expires_at IS NOT NULL")
    op.create_index("deliveries_by_state", "deliveries", ["state", "created_at"])
    op.create_table(
        "attempts",
        sa.Column("delivery_id", sa.Text, sa.ForeignKey("deliveries.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("started_at", sa.Double, nullable=False),
        sa.Column("duration", sa.Double),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("answer", sa.Text),
    )
    op.create_table(
        "destinations",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("failures", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("open_until", sa.Double),
    )
    op.create_table(
        "inbox",
        sa.Column("delivery_id", sa.Text, primary_key=True),
        sa.Column("received_at", sa.Double, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_index("inbox_newest_first", "inbox", ["received_at"])


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(where))
