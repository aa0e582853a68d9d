"""Admission of triggers: who may send one, how often, and what its caller shows about the version of core."""

from __future__ import annotations

import threading

import structlog

from app.access.callers import Caller, CallerKind
from app.access.gate import Forbidden
from app.access.grants import Grant, describe, find_grant, grants_to
from app.access.rate_limits import RateLimits
from app.opencrvs.version_signs import Sign, VersionSigns
from app.triggers.allow_list import API_CLIENT
from app.triggers.catalogue import EMAIL, TriggerType

log = structlog.get_logger()

_LINK_MESSAGES = ("user/password-reset-link", "user/username-reminder-link")
_WITHOUT_TOKEN = frozenset({CallerKind.NOBODY, CallerKind.LISTED})


class Admission:
    """Judges callers of triggers. Safe for threads."""

    def __init__(self, limits: RateLimits, signs: VersionSigns) -> None:
        self._limits = limits
        self._signs = signs
        self._alerted: set[str] = set()
        self._lock = threading.Lock()

    def admit(self, trigger: TriggerType, caller: Caller) -> Grant:
        """Return the grant by which the caller may send this trigger. Raises Forbidden.

        Records what the call shows about core's version. The first call without a token that is refused is an error
        in the log, once for each path and process: from core 2.0.0 it is a message that does not go out.
        """
        grant = find_grant(trigger.callers, caller)
        sign = version_sign(trigger, caller.kind, granted=grant is not None)
        if sign is not None:
            self._signs.record(sign, trigger.path if grant is not None else f"{trigger.path} (refused)")
        if grant is not None:
            return grant
        if caller.kind in _WITHOUT_TOKEN:
            self._alert_once(trigger, caller)
        raise Forbidden(refusal(trigger, caller.kind))

    def count(self, grant: Grant, caller: Caller) -> None:
        """Count a call that is about to be kept. Raises TooManyCalls and DatabaseAway."""
        if grant.limit is not None:
            self._limits.count(grant.limit, caller)

    def _alert_once(self, trigger: TriggerType, caller: Caller) -> None:
        with self._lock:
            if trigger.path in self._alerted:
                return
            self._alerted.add(trigger.path)
        address = caller.identity
        log.error("tokenless_call.refused", path=trigger.path, caller=address or None, hint=hint(trigger, address))


def version_sign(trigger: TriggerType, kind: CallerKind, *, granted: bool) -> Sign | None:
    """Return what the call shows about core's version. Only core 2.0.0 sends user triggers without a token."""
    if kind in _WITHOUT_TOKEN:
        core_omits_token = trigger.path != EMAIL and grants_to(trigger.callers, CallerKind.LISTED)
        return Sign.UNAUTHENTICATED if core_omits_token else None
    if not granted:
        return None
    if kind is CallerKind.AUTH_SERVICE and trigger.path in _LINK_MESSAGES:
        return Sign.LINK_MESSAGE
    return {CallerKind.ANONYMOUS: Sign.ANONYMOUS, CallerKind.SERVICE: Sign.SERVICE}.get(kind)


def refusal(trigger: TriggerType, kind: CallerKind) -> str:
    """Return why this kind of caller may not send this trigger, and who may, for the caller."""
    takers = f"{trigger.path} is taken from {describe(trigger.callers)}"
    if kind in _WITHOUT_TOKEN:
        return f"there is no token, and this address may not call without one: {takers}"
    if trigger.path == EMAIL:
        return f"{trigger.path} never comes with a token: send it without one, from an address in TOKENLESS_CALLERS"
    return f"this token or key may not call this: {takers}"


def hint(trigger: TriggerType, address: str) -> str:
    """Return what an operator can do about a refused call without a token. `address` is "" if it is not known."""
    if API_CLIENT in trigger.callers:
        return "give its sender a key: country-config clients create NAME --permission triggers:send"
    if not grants_to(trigger.callers, CallerKind.LISTED):
        return "no version of core sends this without a token: find out what calls here, and keep it out"
    if not address:
        return (
            "the address of the caller is not known: name its proxy in TRUSTED_PROXIES, and let it set X-Forwarded-For"
        )
    setting = f"TOKENLESS_CALLERS={address}"
    if trigger.path == EMAIL:
        return f"if this is the monitoring of your infrastructure, set {setting}, or add it to those that are set"
    return f"if this is core 2.0.0, set {setting}, or add it to those that are set; or move core to 2.0.1"
