"""Which actions a rule can defer, by what core does with the action after it was told to wait."""

from __future__ import annotations

from collections.abc import Mapping

SAFE = "yes"
ANY_ACTION = "not of all actions: DECLARE, EDIT and REQUEST_CORRECTION come with others in one submit"

_WITH_OTHERS = "no: it comes with {} in one submit, which fails when this one is deferred"
_NO_LATE_REJECT = "yes, but core 2.0 takes no late reject of it"

_ADVICE: Mapping[str, str] = {
    "NOTIFY": SAFE,
    "DECLARE": _WITH_OTHERS.format("REGISTER"),
    "EDIT": _WITH_OTHERS.format("NOTIFY, DECLARE or REGISTER"),
    "REGISTER": SAFE,
    "REJECT": _NO_LATE_REJECT,
    "ARCHIVE": SAFE,
    "UNARCHIVE": SAFE,
    "PRINT_CERTIFICATE": SAFE,
    "REQUEST_CORRECTION": _WITH_OTHERS.format("APPROVE_CORRECTION"),
    "APPROVE_CORRECTION": _NO_LATE_REJECT,
    "REJECT_CORRECTION": _NO_LATE_REJECT,
    "CUSTOM": SAFE,
    "*": ANY_ACTION,
}


def may_be_deferred(action_type: str) -> str:
    """Return in a few words whether a rule of this action type can answer with Defer ("*": of any).

    It holds for all requests of the type, save those that core's client makes with `keepAssignment`: core 2.1 fails on
    them, and does not tell us of the flag. A rule that fails or takes too long defers too.
    """
    return _ADVICE.get(action_type, "not known: this action type is newer than this server")
