"""What an `@on_system_ready` rule gets: it registers integrations at core, and hands over their secrets."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from app.country import Credentials, Integration
from app.opencrvs.integrations import IntegrationError
from app.opencrvs.registered_clients import RegisteredClients
from app.opencrvs.registration import Registration

log = structlog.get_logger()


class ReadySystem:
    """One call of system/ready, as rules see it; also what became of it.

    `registration` is None without an EVENTS_URL. Where `can_register` is False (core 2.0.0), names are only collected
    in `by_hand`. `failures` are pairs of a name, "" where there is none, and what is wrong.
    """

    def __init__(
        self,
        integrations: tuple[Integration, ...],
        clients: RegisteredClients,
        registration: Registration | None,
        *,
        can_register: bool,
    ) -> None:
        self.integrations = integrations
        self.failures: list[tuple[str, str]] = []
        self.by_hand: list[str] = []
        self.names: set[str] = set()
        self._clients = clients
        self._registration = registration
        self._can_register = can_register
        self._handed_over: list[str] = []

    def register(self, integration: Integration) -> Credentials | None:
        """See app.country.System. Raises DatabaseAway."""
        return self._register(integration, Registration.ensure)

    def register_own(self, own: Integration) -> None:
        """Register this server's own client, at a core that has a use for it. Raises DatabaseAway."""
        self._register(own, Registration.ensure_own)

    def _register(
        self, integration: Integration, ensure: Callable[[Registration, Integration], Credentials | None]
    ) -> Credentials | None:
        name = integration.name
        if name in self.names:
            return None
        self.names.add(name)
        if not self._can_register:
            self.by_hand.append(name)
            return None
        if self._registration is None:
            self.failures.append((name, "EVENTS_URL is not set: set it to the address of core's events service"))
            return None
        try:
            credentials = ensure(self._registration, integration)
        except IntegrationError as error:
            log.error("integration.refused", integration=name, reason=str(error))
            self.failures.append((name, str(error)))
            return None
        if credentials is not None:
            self._handed_over.append(name)
        return credentials

    def erase_secrets(self) -> None:
        """Erase what a rule was handed: it has ended, so that the secrets are where it wants them."""
        if self._handed_over:
            self._clients.erase_secrets(self._handed_over)
        self._handed_over.clear()

    def keep_secrets(self) -> None:
        """Keep what a rule was handed, encrypted as it is: the rule failed, and is handed it again at the next call."""
        if self._handed_over:
            log.warning(
                "integration.secrets_kept",
                integrations=list(self._handed_over),
                hint="fix rules.py: the rule gets the same secrets again at the next system/ready",
            )
        self._handed_over.clear()
