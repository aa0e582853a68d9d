"""What this server knows of the integrations at core, kept in the database: their client ids, and what is wrong."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import StrEnum

import structlog
from sqlalchemy import Connection, case, select, update

from app.database.clock import now
from app.database.engine import Database
from app.database.tables import integrations
from app.encryption import Cipher, UnknownKey
from app.settings import Credentials

log = structlog.get_logger()


class Problem(StrEnum):
    """Why the credentials that are configured for an integration do not work. Only an operator can resolve it."""

    CLIENT_MISMATCH = "client-mismatch"  # core knows the integration by another client id
    CLIENT_ID_TAKEN = "client-id-taken"  # core has another integration with the configured client id


@dataclass(frozen=True)
class RegisteredClient:
    """An integration as system/ready last found it. `client_id` is "" where core has none of this name."""

    name: str
    client_id: str
    problem: Problem | None


class RegisteredClients:
    """The integrations of this database. Every method raises DatabaseAway."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def find(self, name: str) -> RegisteredClient | None:
        with self._database.reading() as connection:
            return find(connection, name)

    def keep(self, client: RegisteredClient, credentials: Credentials | None = None) -> None:
        """Keep it in place of what was known by this name.

        Earlier credentials stay, where the client id is the same and no others are given.
        """
        secrets = None if credentials is None else self._cipher.encrypt(asdict(credentials))
        insert = self._database.insert(integrations).values(
            name=client.name,
            client_id=client.client_id,
            registered_at=now(),
            problem=client.problem,
            secrets=secrets,
        )
        kept = case((integrations.c.client_id == insert.excluded.client_id, integrations.c.secrets))
        changed = {
            "client_id": insert.excluded.client_id,
            "problem": insert.excluded.problem,
            "secrets": kept if secrets is None else insert.excluded.secrets,
        }
        if credentials is not None:
            changed["registered_at"] = insert.excluded.registered_at
        with self._database.transaction() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=[integrations.c.name], set_=changed))

    def credentials(self, name: str) -> Credentials | None:
        """Return credentials from core that no rule has taken yet; None where there are none that can be decrypted."""
        with self._database.reading() as connection:
            secrets = connection.scalar(select(integrations.c.secrets).where(integrations.c.name == name))
        if secrets is None:
            return None
        try:
            return Credentials(**self._cipher.decrypt(secrets))
        except UnknownKey as error:
            log.error("integration.secrets_lost", integration=name, reason=str(error))
            return None

    def erase_secrets(self, names: Collection[str]) -> None:
        """Erase the credentials of these integrations: whoever needs them has them."""
        with self._database.transaction() as connection:
            connection.execute(update(integrations).where(integrations.c.name.in_(names)).values(secrets=None))

    def clear_problems_except(self, names: Collection[str]) -> None:
        """Forget what was wrong with all others: nothing is configured for them any more."""
        others = integrations.c.problem.is_not(None), integrations.c.name.not_in(names)
        with self._database.transaction() as connection:
            connection.execute(update(integrations).where(*others).values(problem=None))


def find(connection: Connection, name: str) -> RegisteredClient | None:
    """The integration of this name, None where system/ready has never seen it."""
    row = connection.execute(select(integrations).where(integrations.c.name == name)).one_or_none()
    if row is None:
        return None
    return RegisteredClient(row.name, row.client_id, Problem(row.problem) if row.problem else None)


def why_unusable(client: RegisteredClient | None, configured: Credentials) -> str | None:
    """Say why core does not take the configured credentials of a client, and what to do; None where it takes them."""
    if client is not None and client.problem is Problem.CLIENT_ID_TAKEN:
        return (
            f"another integration at core has the client id {configured.client_id}: "
            "configure another one, and restart core's events service"
        )
    if client is None or not client.client_id:
        return (
            "core has not registered it: set EVENTS_URL and restart core's events service, "
            "or read in the log of system/ready what failed"
        )
    if client.client_id != configured.client_id:
        return (
            f"core knows {client.name} by the client id {client.client_id}, not by {configured.client_id}: "
            "delete that integration on core's Integrations page and restart core's events service, "
            "or configure its client id and secret"
        )
    return None
