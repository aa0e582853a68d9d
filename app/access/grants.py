"""Permission to call something, as values: a list of grants says who may call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.access.callers import Caller, CallerKind

HOUR = 3_600.0


@dataclass(frozen=True)
class Limit:
    """At most `calls` within `seconds` for each caller; all grants with the same `bucket` count together."""

    bucket: str
    calls: int
    seconds: float = HOUR


@dataclass(frozen=True)
class Grant:
    """Permission for callers of these kinds, and if `scopes` are named, only with one of them.

    `who` names the callers for people: it stands in error messages and in the API's description.
    """

    who: str
    kinds: frozenset[CallerKind]
    scopes: frozenset[str] = frozenset()
    limit: Limit | None = None

    def fits(self, caller: Caller) -> bool:
        """Whether this grant is for the caller; its limit is not looked at."""
        return caller.kind in self.kinds and (not self.scopes or not self.scopes.isdisjoint(caller.scopes))


_DEVELOPER = Grant("a developer on this machine", frozenset({CallerKind.DEVELOPER}))


def find_grant(grants: Sequence[Grant], caller: Caller) -> Grant | None:
    """Return the first grant that fits the caller, or None if it may not call. A developer may call everything."""
    return next((grant for grant in (_DEVELOPER, *grants) if grant.fits(caller)), None)


def grants_to(grants: Iterable[Grant], kind: CallerKind) -> bool:
    """Whether any of the grants is for callers of this kind."""
    return any(kind in grant.kinds for grant in grants)


def describe(grants: Iterable[Grant]) -> str:
    """Return who may call, for people."""
    return ", or ".join(grant.who for grant in grants)
