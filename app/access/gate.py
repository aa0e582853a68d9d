"""Who may call a trigger: core by its token, or a trusted network without one."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.wrappers import Request

from app.access import clients
from app.access.clients import Client, Permission
from app.access.core_token import Claims, CoreTokens, InvalidToken
from app.access.networks import Callers
from app.database.engine import Database


class Unauthenticated(Exception):
    """401: the credentials that came are not valid."""


class Forbidden(Exception):
    """403: no credentials came, and this caller needs some."""


@dataclass(frozen=True)
class Caller:
    """Who calls. `claims` are those of core's token; None for a caller without one, from a trusted network."""

    claims: Claims | None

    @property
    def is_core(self) -> bool:
        return self.claims is not None


class Gate:
    """Lets in who may call."""

    def __init__(self, tokens: CoreTokens, callers: Callers) -> None:
        self._tokens = tokens
        self._callers = callers

    def admit(self, request: Request) -> Caller:
        """Raises Unauthenticated, Forbidden, and KeyUnavailable where core's token cannot be judged."""
        token = bearer(request)
        if token is not None:
            try:
                return Caller(self._tokens.verify(token))
            except InvalidToken as error:
                raise Unauthenticated(str(error)) from None
        if self._callers.is_trusted(request):
            return Caller(None)
        raise Forbidden(
            "without core's token this is only taken from the networks in TRUSTED_NETWORKS, "
            "and behind a proxy only where it is in TRUSTED_PROXIES"
        )

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
    client = clients.authenticate(database, key)
    if client is None:
        raise Unauthenticated("this API key is not valid, or was revoked")
    if permission not in client.permissions:
        raise Forbidden(f"this API key lacks the permission {permission}")
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
