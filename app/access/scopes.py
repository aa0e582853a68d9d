"""The scopes of core's tokens, in the spelling of any version.

Core 2.x encodes a scope as a query string, `type=NAME` or `type=NAME&option=a,b` (`encodeScope` in packages/commons).
Core 1.9 sent the bare name, and `name[option=a|b]` where the scope had options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPE = "type="

# The names that these two have had. Sources in opencrvs-core: packages/commons/src/scopes.ts, at commit c7bac953 (1.8:
# `:all` and `:my-jurisdiction`) and at 0000fcd0 (1.9: `user.create[...]`, `user.edit[...]`; and a plain `user.update`).
# Core 2.x asks for `user.create` and `user.edit` (packages/events/src/router/user/index.ts).
USER_CREATE = frozenset({"user.create", "user.create:all", "user.create:my-jurisdiction"})
USER_EDIT = frozenset({"user.edit", "user.update", "user.update:all", "user.update:my-jurisdiction"})


def scope_names(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the scopes that a token grants, without their options.

    `scope` is a list of texts, or one text with spaces between them (RFC 8693). Anything else grants nothing.
    """
    scopes = claims.get("scope")
    listed = scopes.split() if isinstance(scopes, str) else scopes
    if not isinstance(listed, list | tuple):
        return frozenset()
    names = (_name(scope) for scope in listed if isinstance(scope, str))
    return frozenset(name for name in names if name)


def _name(scope: str) -> str:
    # A key may stand in any place of a query string, and core's decoder takes a leading question mark too.
    pairs = scope.strip().removeprefix("?").split("&")
    types = [pair.removeprefix(_TYPE) for pair in pairs if pair.startswith(_TYPE)]
    if types:
        return types[0]
    return "" if "=" in pairs[0].partition("[")[0] else pairs[0].partition("[")[0]
