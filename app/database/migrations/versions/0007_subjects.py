"""What a delivery is about, so that newer news overtakes older; and what is owed in its place where it fails."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("subject", sa.Text))
    op.add_column("deliveries", sa.Column("otherwise", sa.LargeBinary))
    about_something = sa.text("subject IS NOT NULL")
    op.create_index(
        "deliveries_by_subject",
        "deliveries",
        ["subject", "created_at"],
        postgresql_where=about_something,
        sqlite_where=about_something,
    )
