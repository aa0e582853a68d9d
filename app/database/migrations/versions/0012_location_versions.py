"""Whether a location is open, and the names that it had."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("locations", sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")))
    op.add_column("locations", sa.Column("versions", sa.Text))
