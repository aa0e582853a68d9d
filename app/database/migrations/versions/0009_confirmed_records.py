"""The record as core had it when it took a confirmation: what statistics are made of."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("decisions", sa.Column("confirmed_record", sa.LargeBinary))
