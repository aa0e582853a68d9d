"""Who may call: the caller of a request, from its token, its API key or its address."""

from __future__ import annotations

from werkzeug.wrappers import Request

from app.access import clients
from app.access.callers import Caller, caller_of_key, caller_of_token
from app.access.clients import Client, Permission
from app.access.core_token import Claims, CoreTokens, InvalidToken
from app.access.networks import Callers, TokenlessNetworks
from app.database.engine import Database


class Unauthenticated(Exception):
    """401: the credentials that came are not valid."""


class Forbidden(Exception):
    """403: this caller may not do this, with its credentials or without any."""


class Gate:
    """Finds out who calls."""

    def __init__(
        self,
        tokens: CoreTokens,
        callers: Callers,
        database: Database,
        tokenless: TokenlessNetworks,
    ) -> None:
        self._tokens = tokens
        self._callers = callers
        self._database = database
        self._tokenless = tokenless

    def identify(self, request: Request) -> Caller:
        """Return who calls; whether it may is for the caller of this method to judge.

        Raises Unauthenticated for credentials that are not valid, KeyUnavailable if core's token cannot be judged, and
        DatabaseAway if an API key cannot.
        """
        token = bearer(request)
        if token is None:
            address = self._callers.address(request)
            return Caller(self._tokenless.kind_of(address), identity=str(address or ""))
        if token.startswith(clients.PREFIX):
            return caller_of_key(_client(self._database, token))
        try:
            return caller_of_token(self._tokens.verify(token))
        except InvalidToken as error:
            raise Unauthenticated(str(error)) from None

    def admit_core(self, request: Request) -> tuple[str, Claims]:
        """Core's token and its claims, for what nobody may ask without one.

        Raises Unauthenticated, and KeyUnavailable where the token cannot be judged.
        """
        token = bearer(request)
        if token is None:
            raise Unauthenticated("this is only taken with core's token: Authorization: Bearer <token>")
        try:
            return token, self._tokens.verify(token)
        except InvalidToken as error:
            raise Unauthenticated(str(error)) from None


def admit_client(database: Database, request: Request, permission: Permission) -> Client:
    """The API client whose key came. Raises Unauthenticated, Forbidden and DatabaseAway."""
    key = bearer(request)
    if key is None:
        raise Unauthenticated("this is only taken with an API key: Authorization: Bearer <key>")
    client = _client(database, key)
    if permission not in client.permissions:
        raise Forbidden(f"this API key lacks the permission {permission}")
    return client


def _client(database: Database, key: str) -> Client:
    client = clients.authenticate(database, key)
    if client is None:
        raise Unauthenticated("this API key is not valid, or was revoked")
    return client


def bearer(request: Request) -> str | None:
    """The token in the Authorization header, None where there is none.

    Core's sign-in page sends the literal word `undefined`, which counts as none, with or without a scheme. Raises
    Unauthenticated for another scheme than Bearer.
    """
    header = request.headers.get("Authorization", "").strip()
    if header in ("", "undefined"):
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("the Authorization header must be of the form: Bearer <token>")
    token = token.strip()
    return None if token in ("", "undefined") else token
