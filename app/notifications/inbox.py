"""The development inbox: messages land here instead of with people, and are kept as they would have gone out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, select

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import inbox
from app.encryption import Cipher


@dataclass(frozen=True)
class InboxMessage:
    """A message as it would have gone out. `received_at` is UTC seconds since 1970; `channel` is `email` or `sms`.

    An SMS has no subject and no HTML: both are "".
    """

    delivery_id: str
    received_at: float
    channel: str
    sender: str
    to: tuple[str, ...] = field(repr=False)
    bcc: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    html: str = field(repr=False)
    text: str = field(repr=False)


class Inbox:
    """Messages by the id of their delivery. All methods raise DatabaseAway; those that read raise UnknownKey."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def put(
        self,
        delivery_id: str,
        channel: str,
        *,
        sender: str,
        to: Sequence[str],
        text: str,
        bcc: Sequence[str] = (),
        subject: str = "",
        html: str = "",
    ) -> None:
        """Keep a message. The same delivery again takes the place of the earlier one."""
        content = {"sender": sender, "to": to, "bcc": bcc, "subject": subject, "html": html, "text": text}
        row = {"received_at": now(), "channel": channel, "content": self._cipher.encrypt(content)}
        statement = self._database.insert(inbox).values(delivery_id=delivery_id, **row)
        with self._database.transaction() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=[inbox.c.delivery_id], set_=row))

    def newest(self, limit: int = 100) -> list[InboxMessage]:
        """The newest messages, the newest first."""
        order = (inbox.c.received_at.desc(), inbox.c.delivery_id.desc())
        with self._database.reading() as connection:
            rows = connection.execute(select(inbox).order_by(*order).limit(limit)).all()
        return [self._message(row) for row in rows]

    def get(self, delivery_id: str) -> InboxMessage | None:
        """One message, None where there is none."""
        if "\0" in delivery_id:  # PostgreSQL refuses even to compare with it
            return None
        with self._database.reading() as connection:
            row = connection.execute(select(inbox).where(inbox.c.delivery_id == delivery_id)).one_or_none()
        return None if row is None else self._message(row)

    def clear(self) -> None:
        """Forget all messages."""
        with self._database.transaction() as connection:
            connection.execute(delete(inbox))

    def _message(self, row: Row[Any]) -> InboxMessage:
        content = self._cipher.decrypt(row.content)
        return InboxMessage(
            delivery_id=row.delivery_id,
            received_at=row.received_at,
            channel=row.channel,
            sender=content["sender"],
            to=tuple(content["to"]),
            bcc=tuple(content["bcc"]),
            subject=content["subject"],
            html=content["html"],
            text=content["text"],
        )
