"""What core holds against a query for one of its lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from werkzeug import Request

from tests.opencrvs.core_records import Problem

_NO_INPUT = {"0": {"json": None, "meta": {"values": ["undefined"]}}}


def listed(procedure: str, request: Request, lists: Mapping[str, list[Any]]) -> list[Any]:
    """The list of this procedure, which is asked for without an input. Raises Problem."""
    if procedure not in lists:
        raise Problem("NOT_FOUND", f'No "query"-procedure on path "{procedure}"')
    given = request.args.to_dict(flat=False)
    try:
        (no_input,) = (json.loads(text) for text in given.pop("input", ["null"]))
    except ValueError:
        raise Problem("PARSE_ERROR", "Unexpected token in JSON") from None
    if given != {"batch": ["1"]} or no_input != _NO_INPUT or request.get_data():
        raise Problem("BAD_REQUEST", "not a batch of one query without input")
    return lists[procedure]
