"""The audit: who did what by hand. It says to what, never with which words: reasons and answers may name people."""

from __future__ import annotations

import os
import pwd
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from app.cleaning import clean
from app.database.clock import now
from app.database.engine import Database
from app.database.identifiers import new_id
from app.database.tables import audit


class What(StrEnum):
    """What can be done by hand."""

    CONFIRMATION_ACCEPT = "confirmation.accept"
    CONFIRMATION_REJECT = "confirmation.reject"
    OUTBOX_RETRY = "outbox.retry"
    OUTBOX_CANCEL = "outbox.cancel"
    OUTBOX_PAUSE = "outbox.pause"
    OUTBOX_RESUME = "outbox.resume"
    CLIENT_CREATE = "client.create"
    CLIENT_REVOKE = "client.revoke"
    SUBSCRIPTION_CREATE = "subscription.create"
    SUBSCRIPTION_CHANGE = "subscription.change"
    SUBSCRIPTION_DELETE = "subscription.delete"


@dataclass(frozen=True)
class Author:
    """Whose doing it is, as `client mosip` or `operator root`, and the request that it came by."""

    name: str
    request_id: str | None = None


def operator() -> Author:
    """Who runs this process: the user of the operating system, and the one who became that by sudo."""
    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a user that has no name
        name = f"uid {os.geteuid()}"
    before = os.environ.get("SUDO_USER")
    return Author(clean(f"operator {name}, sudo by {before}" if before else f"operator {name}"))


def record(connection: Connection, author: Author, what: What, subjects: Collection[str]) -> None:
    """Keep, in the transaction of the change itself, that it was done to each of these."""
    if subjects:
        connection.execute(
            _RECORD,
            [
                {"entry": new_id(), "author": author.name, "did": what, "to": subject, "by": author.request_id}
                for subject in subjects
            ],
        )


_RECORD = insert(audit).values(
    id=bindparam("entry"),
    at=now(),
    who=bindparam("author"),
    what=bindparam("did"),
    subject=bindparam("to"),
    request_id=bindparam("by"),
)


def newest(database: Database, limit: int, subject: str | None = None) -> Sequence[Row[Any]]:
    """The newest entries, of this subject where one is named. Raises DatabaseAway."""
    statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
    with database.reading() as connection:
        return connection.execute(statement if subject is None else statement.where(audit.c.subject == subject)).all()
