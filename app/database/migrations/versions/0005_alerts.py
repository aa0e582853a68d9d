"""What was alerted of decisions, by its cause, and when the last mail of it went out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for name in ("alerted_for", "mailed_for"):
        op.add_column("decisions", sa.Column(name, sa.Text, nullable=False, server_default=sa.text("''")))
    # It was alerted of once, of what was so at the time.
    op.execute(
        """
        UPDATE decisions SET alerted_for = trim(
            CASE WHEN deadline <= alerted_at THEN 'undecided ' ELSE '' END
            || CASE WHEN token_expires_at <= alerted_at + 86400 THEN 'ending' ELSE '' END
        )
        WHERE alerted_at IS NOT NULL
        """
    )
    op.execute(
        "UPDATE decisions SET alerted_for = 'refused' "
        "WHERE alerted_at IS NOT NULL AND alerted_for = '' AND state = 'refused'"
    )
    op.execute("UPDATE decisions SET mailed_for = alerted_for WHERE alerted_for <> ''")
    op.drop_column("decisions", "alerted_at")
    op.create_table(
        "chores",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("done_at", sa.Double, nullable=False),
    )
