"""Integrations whose configured credentials do not work, secrets until a rule has them, and leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("integrations", sa.Column("problem", sa.Text))
    op.add_column("integrations", sa.Column("secrets", sa.LargeBinary))
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("ends_at", sa.Double, nullable=False),
    )
