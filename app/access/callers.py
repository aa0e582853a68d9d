"""Who calls, as a value: what a verified token, an API key or an address says about its caller.

The subjects are those of core's own tokens. Sources in opencrvs-core: packages/auth/src/features/serviceToken,
anonymousToken, authenticateSuperUser (the data seeder), verifyCode and retrievalSteps/sendUserName (`auth`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.access.clients import Client
from app.access.scopes import scope_names

AUTH_SERVICE_SUBJECT = "auth"
SEEDER_SUBJECT = "opencrvs:data-seeder-service"
SERVICE_SUBJECT = "__SERVICE_USER__"
ANONYMOUS_SUBJECT = "__ANONYMOUS_USER__"


class CallerKind(StrEnum):
    """What a caller is. A caller is of exactly one kind."""

    AUTH_SERVICE = "auth-service"  # core's auth service: one-time codes and links
    SERVICE = "service"  # core 2.1 itself: it only proves that core calls
    SEEDER = "seeder"  # core's data seeder
    ANONYMOUS = "anonymous"  # core 2.0.1 to 2.0.4, for nobody; the auth service issues it without credentials
    USER = "user"  # a logged-in user
    SYSTEM = "system"  # a system client of core's
    ACTION = "action"  # bound to an event and an action
    OTHER_TOKEN = "other-token"  # noqa: S105  core's, and none of the above
    CLIENT = "client"  # an API client of ours; its scopes are its permissions
    LISTED = "listed"  # no token, from an address in TOKENLESS_CALLERS, in production
    DEVELOPER = "developer"  # no token, from loopback or TOKENLESS_CALLERS, outside production
    NOBODY = "nobody"  # no token, from anywhere else


@dataclass(frozen=True)
class Caller:
    """Who calls.

    `identity` tells callers of one kind apart: a token's subject, a client's id, an address; "" where it is not known.
    It may name a person, so it is never logged.
    """

    kind: CallerKind
    scopes: frozenset[str] = frozenset()
    identity: str = field(default="", repr=False)

    @property
    def is_core(self) -> bool:
        """Whether the token is one that only core's own services have."""
        return self.kind in _CORE_SERVICES


def caller_of_token(claims: Mapping[str, Any]) -> Caller:
    """Return who calls with a verified token of core's."""
    subject = claims.get("sub")
    return Caller(_kind_of_token(claims), scope_names(claims), subject if isinstance(subject, str) else "")


def caller_of_key(client: Client) -> Caller:
    """Return who calls with an API key."""
    return Caller(CallerKind.CLIENT, frozenset(client.permissions), client.id)


def _kind_of_token(claims: Mapping[str, Any]) -> CallerKind:
    if "eventId" in claims or "actionId" in claims:
        return CallerKind.ACTION
    match (claims.get("userType"), claims.get("sub")):
        case ("user", _):
            return CallerKind.USER
        case (_, str(subject)) if subject == AUTH_SERVICE_SUBJECT:
            return CallerKind.AUTH_SERVICE
        case (_, str(subject)) if subject == SEEDER_SUBJECT:
            return CallerKind.SEEDER
        case ("system", str(subject)):
            return _SYSTEM_SUBJECTS.get(subject, CallerKind.SYSTEM)
        case _:
            return CallerKind.OTHER_TOKEN


_SYSTEM_SUBJECTS: Mapping[str, CallerKind] = {
    SERVICE_SUBJECT: CallerKind.SERVICE,
    ANONYMOUS_SUBJECT: CallerKind.ANONYMOUS,
}
_CORE_SERVICES = frozenset({CallerKind.AUTH_SERVICE, CallerKind.SERVICE, CallerKind.SEEDER})
