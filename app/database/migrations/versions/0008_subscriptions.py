"""Webhooks: who is told of what, the types of events that were seen, and how fast a destination may be called."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("client_id", sa.Text, sa.ForeignKey("clients.id"), nullable=False),
        sa.Column("rev", sa.Integer, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("secrets", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("updated_at", sa.Double, nullable=False),
        sa.Column("failing_since", sa.Double),
        sa.Column("disabled_because", sa.Text),
    )
    op.create_index("subscriptions_by_client", "subscriptions", ["client_id", "id"])
    op.create_table("event_types", sa.Column("name", sa.Text, primary_key=True))
    op.add_column("destinations", sa.Column("rate", sa.Double))
    op.add_column("destinations", sa.Column("next_at", sa.Double))
    webhooks = sa.text("channel = 'webhook'")
    op.create_index(
        "deliveries_of_subscription",
        "deliveries",
        ["destination", "id"],
        postgresql_where=webhooks,
        sqlite_where=webhooks,
    )
