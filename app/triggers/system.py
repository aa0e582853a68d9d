"""`/triggers/system/ready`: core's seeder says, once, that the system is there to be set up."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from flask import Blueprint, Response, request
from sqlalchemy import exists, select

from app.access.gate import Gate
from app.country import Country, Credentials, Integration
from app.database.clock import now
from app.database.engine import Database, DatabaseAway
from app.database.tables import integrations as registered
from app.http.errors import Refused, json_response
from app.opencrvs.integrations import IntegrationRefused, Integrations

log = structlog.get_logger()


def system_routes(
    gate: Gate, database: Database, country: Country, wanted: Sequence[Integration], core: Integrations | None
) -> Blueprint:
    """GET and POST. 501 where nothing is configured; 200 only if all worked, else 502 with what failed."""
    routes = Blueprint("system", __name__)

    @routes.route("/triggers/system/ready", methods=["GET", "POST"])
    @routes.route("/trigger/system/ready", methods=["GET", "POST"])
    def ready() -> Response:
        token, _ = gate.admit_core(request)
        rules = country.on_ready or ((_register_all,) if wanted else ())
        if not rules:
            message = "Neither INTEGRATIONS nor a rule with @on_system_ready says what to do"
            raise Refused(501, "Not implemented", [{"path": [], "message": message}])
        system = ReadySystem(database, tuple(wanted), core, token)
        for rule in rules:
            try:
                rule(system)
            except DatabaseAway:
                raise
            except Exception as error:
                log.exception("system_ready.crashed", rule=getattr(rule, "__name__", "?"))
                system.failures.append(("", f"a rule raised {type(error).__name__}: the log says where"))
                system.forget()
            else:
                system.settle()
        if system.failures:
            details = [{"path": [name] if name else [], "message": message} for name, message in system.failures]
            raise Refused(502, "Not everything could be set up", details)
        return json_response({})

    return routes


class ReadySystem:
    """What an `@on_system_ready` rule gets."""

    def __init__(
        self, database: Database, wanted: tuple[Integration, ...], core: Integrations | None, token: str
    ) -> None:
        self.integrations = wanted
        self.failures: list[tuple[str, str]] = []
        self._in_hand: dict[str, str] = {}  # client ids, by the names of the integrations
        self._database = database
        self._core = core
        self._token = token

    def register(self, integration: Integration) -> Credentials | None:
        """See app.country.System."""
        if self._is_registered(integration.name):
            return None
        if self._core is None:
            self.failures.append((integration.name, "EVENTS_URL is not set"))
            return None
        try:
            given = self._core.register(integration.name, integration.scopes, self._token)
        except IntegrationRefused as error:
            log.error("integration.refused", integration=integration.name, reason=str(error))
            self.failures.append((integration.name, str(error)))
            return None
        self._in_hand[integration.name] = given["clientId"]
        log.info("integration.registered", integration=integration.name)
        return Credentials(given["clientId"], given["clientSecret"], given["shaSecret"])

    def settle(self) -> None:
        """A rule has come to its end, and has put the secrets that it was given where it wants them."""
        rows = [{"name": name, "client_id": client_id} for name, client_id in self._in_hand.items()]
        if rows:
            insert = self._database.insert(registered).values(registered_at=now())
            with self._database.transaction() as connection:
                connection.execute(insert.on_conflict_do_nothing(), rows)
        self._in_hand.clear()

    def forget(self) -> None:
        """A rule has not come to its end, and its secrets may be lost: it registers anew the next time."""
        if self._in_hand:
            log.warning(
                "integration.secrets_lost", integrations=list(self._in_hand), advice="mend rules.py, then call again"
            )
        self._in_hand.clear()

    def _is_registered(self, name: str) -> bool:
        if name in self._in_hand:
            return True
        with self._database.reading() as connection:
            return bool(connection.scalar(select(exists().where(registered.c.name == name))))


def _register_all(system: ReadySystem) -> None:
    """The shipped rule. The secrets are kept nowhere: a country that needs them declares a rule of its own."""
    for integration in system.integrations:
        if system.register(integration) is not None:
            log.warning(
                "integration.secrets_not_kept",
                integration=integration.name,
                advice="to put them somewhere, declare @on_system_ready in rules.py",
            )
