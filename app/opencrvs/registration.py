"""Registering integrations at core, once each, and keeping in the database what core has."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import structlog

from app.database.engine import DatabaseAway
from app.opencrvs.integrations import ClientIdTakenError, Integrations
from app.opencrvs.registered_clients import Problem, RegisteredClient, RegisteredClients
from app.settings import Credentials, Integration

log = structlog.get_logger()


class Registration:
    """The registering during one call of system/ready, with its token, until a deadline of `time.monotonic`.

    Nobody else may register at the same time: core does not keep names unique.
    """

    def __init__(self, core: Integrations, clients: RegisteredClients, token: str, deadline: float) -> None:
        self._core = core
        self._clients = clients
        self._token = token
        self._deadline = deadline

    def ensure(self, integration: Integration) -> Credentials | None:
        """Register an integration unless core has one of its name, which is left alone.

        Returns the credentials from core that no rule has taken yet. A client id at core that is not the configured
        one is logged and kept as a problem. Raises IntegrationError and DatabaseAway.
        """
        client_ids = self._known_client_ids(integration.name)
        if not client_ids:
            try:
                given = self._core.register(integration, self._token, self._deadline)
            except ClientIdTakenError:
                # Perhaps by this very integration: core may have done what an earlier call got no answer to.
                client_ids = self._listed_now().get(integration.name, frozenset())
                if not client_ids:
                    self._clients.keep(RegisteredClient(integration.name, "", Problem.CLIENT_ID_TAKEN))
                    raise
            else:
                self._keep_given(integration, given)
                return given
        self._keep(integration, _in_use(integration, client_ids))
        return self._clients.credentials(integration.name)

    def ensure_own(self, own: Integration) -> Credentials | None:
        """Register this server's own client as `ensure` does, but only at a core that has a use for it.

        That is core 2.1, which lists its integrations. An older one does not have the scopes to confirm, and would make
        a client with other credentials, which somebody has to delete after the upgrade.
        """
        if self._listed is None:
            log.info("integration.not_needed", integration=own.name, hint="core confirms with its own tokens until 2.1")
            return None
        return self.ensure(own)

    def _known_client_ids(self, name: str) -> frozenset[str]:
        if self._listed is not None:
            return self._listed.get(name, frozenset())
        remembered = self._clients.find(name)
        return frozenset({remembered.client_id} if remembered and remembered.client_id else ())

    @cached_property
    def _listed(self) -> Mapping[str, frozenset[str]] | None:
        return self._core.client_ids(self._token, self._deadline)

    def _listed_now(self) -> Mapping[str, frozenset[str]]:
        return self._core.client_ids(self._token, self._deadline) or {}

    def _keep_given(self, integration: Integration, given: Credentials) -> None:
        log.info("integration.registered", integration=integration.name)
        try:
            self._keep(integration, given.client_id, given)
        except DatabaseAway:
            if integration.credentials is None:
                log.error(
                    "integration.secrets_lost",
                    integration=integration.name,
                    hint="refresh its secret on core's Integrations page",
                )
            raise

    def _keep(self, integration: Integration, client_id: str, given: Credentials | None = None) -> None:
        wanted = integration.credentials
        is_mismatch = wanted is not None and wanted.client_id.lower() != client_id
        problem = Problem.CLIENT_MISMATCH if is_mismatch else None
        self._clients.keep(RegisteredClient(integration.name, client_id, problem), given)
        if wanted is not None and is_mismatch:
            log.error(
                "integration.client_mismatch",
                integration=integration.name,
                configured_client_id=wanted.client_id,
                registered_client_id=client_id,
                hint="the configured credentials do not work: delete that integration on core's Integrations page and "
                "restart core's events service (2.1 or newer), or configure its client id and secret",
            )


def _in_use(integration: Integration, client_ids: frozenset[str]) -> str:
    """The client id that counts where core has several clients of one name: the configured one, if it is there."""
    if len(client_ids) > 1:
        log.warning(
            "integration.duplicated",
            integration=integration.name,
            client_ids=sorted(client_ids),
            hint="core has several integrations of this name: delete those that are not in use, on its "
            "Integrations page",
        )
    wanted = integration.credentials
    configured = wanted.client_id.lower() if wanted is not None else ""
    return configured if configured in client_ids else min(client_ids)
