"""What is done when core says that the system is ready: register this server at core, and run the country's rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextvars import copy_context

import structlog

from app.country import Country, Integration
from app.country.country import System
from app.database import lease
from app.database.engine import Database, DatabaseAway
from app.database.lease import LeaseHeldError
from app.opencrvs.integrations import Integrations
from app.opencrvs.registered_clients import RegisteredClients
from app.opencrvs.registration import Registration
from app.settings import Credentials
from app.timed_calls import CountryTimeout, TimedCalls
from app.triggers.ready_system import ReadySystem

log = structlog.get_logger()

OWN_SCOPES = ("type=record.action.accept", "type=record.action.reject", "type=record.read")

_TIME_LIMIT = 3.8  # seconds; core gives up after 5
_RESERVE = 0.5  # the part of it in which core is not asked any more: for the database, and for our answer
_LEASE_MARGIN = 1.0  # seconds past the limit, when a call that ran into it asks core nothing any more
_MOST_HANGING = 4

_Rule = Callable[[ReadySystem], object]
Failure = tuple[str, str]  # the name of an integration, "" where it is none's, and what is wrong


def own_integration(name: str, credentials: Credentials | None) -> Integration | None:
    """This server itself, which confirms actions later; None where no credentials are configured."""
    return None if credentials is None else Integration(name, OWN_SCOPES, credentials)


class SystemSetup:
    """Sets up all that is configured, one call at a time over all processes, within `time_limit` seconds."""

    def __init__(
        self,
        database: Database,
        clients: RegisteredClients,
        country: Country,
        integrations: Sequence[Integration],
        own: Integration | None,
        core: Integrations | None,
        time_limit: float = _TIME_LIMIT,
    ) -> None:
        self._database = database
        self._clients = clients
        self._integrations = tuple(integrations)
        self._rules = _rules(country, self._integrations, own)
        self._core = core
        self._time_limit = time_limit
        self._calls = TimedCalls(_MOST_HANGING)
        self._has_warned = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is configured."""
        return not self._rules

    def forget_problems(self) -> None:
        """Forget what was wrong with what is not configured any more. Raises DatabaseAway."""
        self._clients.clear_problems_except(())

    def run(self, token: str, *, can_register: bool, started_at: float) -> Sequence[Failure]:
        """Do it, and return what failed. `started_at` is when the request came, by `time.monotonic`.

        Raises DatabaseAway.
        """
        deadline = started_at + self._time_limit - _RESERVE
        registration = Registration(self._core, self._clients, token, deadline) if self._core is not None else None
        system = ReadySystem(self._integrations, self._clients, registration, can_register=can_register)
        context = copy_context()  # with the request's id, for the log
        remaining = max(started_at + self._time_limit - time.monotonic(), 0.0)
        try:
            self._calls(lambda: context.run(self._run_alone, system, deadline), remaining)
        except LeaseHeldError:
            return [("", "another call is still setting up the system: send this again")]
        except CountryTimeout as error:
            log.error("system_ready.timed_out", reason=str(error), hint="look for a slow @on_system_ready rule")
            return [*system.failures, ("", f"not everything was done within {self._time_limit:g} s: send this again")]
        if system.by_hand and not self._has_warned:
            self._has_warned = True
            _warn_of_work_by_hand(system.by_hand)
        return system.failures

    def _run_alone(self, system: ReadySystem, deadline: float) -> None:
        with lease.hold(self._database, "system-ready", self._time_limit + _LEASE_MARGIN, deadline):
            for rule in self._rules:
                _run_rule(rule, system)
            if not system.failures:
                self._clients.clear_problems_except(system.names)


def _rules(country: Country, integrations: Sequence[Integration], own: Integration | None) -> Sequence[_Rule]:
    """This server first, as the time may run out; then the country's rules, or those that INTEGRATIONS lists."""
    rules: list[_Rule] = []
    if own is not None:
        rules.append(_registering(own))
    if country.on_ready:
        rules += country.on_ready
    elif integrations:
        rules.append(_register_all)
    return tuple(rules)


def _registering(own: Integration) -> _Rule:
    def register_own(system: ReadySystem) -> None:
        system.register_own(own)

    return register_own


def _register_all(system: System) -> None:
    for integration in system.integrations:
        given = system.register(integration)
        if given is not None and integration.credentials is None:
            log.warning(
                "integration.secrets_not_kept",
                integration=integration.name,
                hint="give it credentials in INTEGRATIONS, or let an @on_system_ready rule keep its secret",
            )


def _run_rule(rule: _Rule, system: ReadySystem) -> None:
    try:
        rule(system)
    except DatabaseAway:
        raise
    except Exception as error:
        log.exception("system_ready.crashed", rule=getattr(rule, "__name__", "?"))
        system.failures.append(("", f"a rule raised {type(error).__name__}: the log says where"))
        system.keep_secrets()
    else:
        system.erase_secrets()


def _warn_of_work_by_hand(names: Sequence[str]) -> None:
    log.warning(
        "integration.not_registrable",
        integrations=list(names),
        hint="core 2.0.0 lets nobody register integrations at system/ready: make these by hand on core's Integrations "
        "page, or upgrade core to 2.1, which calls system/ready when it starts",
    )
