"""Who may send which trigger: what core really sends with each of them, and nothing else.

Source of each line: sections 4 and 8 of the contract. Core does not send a refused user trigger again, so a limit is
only where a user's own token is enough, or where a message goes to many.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.access.callers import CallerKind
from app.access.clients import Permission
from app.access.grants import Grant, Limit
from app.access.scopes import USER_CREATE, USER_EDIT

Grants = tuple[Grant, ...]


def _grant(who: str, *kinds: CallerKind, scopes: frozenset[str] = frozenset(), limit: Limit | None = None) -> Grant:
    return Grant(who, frozenset(kinds), scopes, limit)


# Users, and system clients that may administer users, send these with their own tokens.
_WITH_SCOPES = (CallerKind.USER, CallerKind.SYSTEM, CallerKind.OTHER_TOKEN)

AUTH_SERVICE = _grant("core's auth service", CallerKind.AUTH_SERVICE)
SEEDER = _grant("core's data seeder", CallerKind.SEEDER)
MAY_CREATE_USERS = _grant("whoever has core's scope user.create", *_WITH_SCOPES, scopes=USER_CREATE)
MAY_EDIT_USERS = _grant("whoever has core's scope user.edit", *_WITH_SCOPES, scopes=USER_EDIT)
OWN_TOKEN = _grant("a logged-in user of core, for themselves", CallerKind.USER, limit=Limit("own-token", 20))
SYSTEM_TOKEN = _grant(
    "a system token of core's",
    CallerKind.SERVICE,
    CallerKind.ANONYMOUS,
    CallerKind.SYSTEM,
    limit=Limit("system-token", 1_000),
)
TOKENLESS = _grant("an address in TOKENLESS_CALLERS", CallerKind.LISTED, limit=Limit("tokenless", 1_000))

# A chunk is 500 addresses and is sent at most 3 times: 1,000 calls reach 160,000 users at least.
_BROADCAST = Limit("all-user-notification", 1_000)
BROADCASTER = _grant(
    "core's service token or its anonymous one", CallerKind.SERVICE, CallerKind.ANONYMOUS, limit=_BROADCAST
)
TOKENLESS_BROADCASTER = _grant("an address in TOKENLESS_CALLERS", CallerKind.LISTED, limit=_BROADCAST)

# The infrastructure's five alert rules fire at most every five minutes each, and send again what was not taken.
MONITORING = _grant("an address in TOKENLESS_CALLERS, without a token", CallerKind.LISTED, limit=Limit("email", 600))

CORE_SYSTEM = _grant("core's service token or a system client of core's", CallerKind.SERVICE, CallerKind.SYSTEM)
API_CLIENT = _grant(
    f"an API key with the permission {Permission.TRIGGERS_SEND}",
    CallerKind.CLIENT,
    scopes=frozenset({Permission.TRIGGERS_SEND.value}),
)

USER_TRIGGERS: Mapping[str, Grants] = {
    "2fa": (AUTH_SERVICE,),
    "reset-password": (AUTH_SERVICE,),
    "password-reset-link": (AUTH_SERVICE,),
    "username-reminder-link": (AUTH_SERVICE,),
    "user-created": (MAY_CREATE_USERS, SEEDER),
    "resend-invite": (MAY_EDIT_USERS,),
    "reset-password-by-admin": (MAY_EDIT_USERS,),
    "user-updated": (MAY_EDIT_USERS, OWN_TOKEN),
    # From the sign-in page, core sends the auth service's token or another system token from 2.0.1 on, and 2.0.0 none.
    "username-reminder": (MAY_EDIT_USERS, AUTH_SERVICE, SYSTEM_TOKEN, TOKENLESS),
    "change-phone-number": (OWN_TOKEN,),
    "change-email-address": (OWN_TOKEN,),
    "all-user-notification": (BROADCASTER, TOKENLESS_BROADCASTER),
}
INFRASTRUCTURE_ALERT: Grants = (MONITORING,)
OWN_TRIGGERS: Grants = (API_CLIENT, CORE_SYSTEM)
