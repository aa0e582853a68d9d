"""Core's locations, as last listed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "locations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("external_id", sa.Text),
        sa.Column("administrative_area_id", sa.Text),
        sa.Column("location_type", sa.Text),
        sa.Column("refreshed_at", sa.Double, nullable=False),
    )
    op.create_index("locations_refreshed", "locations", ["refreshed_at"])
