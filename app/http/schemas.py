"""marshmallow schemas as JSON Schema, for those who read what we take."""

from __future__ import annotations

import warnings
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

OPENAPI = "3.1.0"


def json_schema(schema: Schema) -> dict[str, Any]:
    """The schema, with all that it holds in it."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda _: "")  # no name, so that nothing is put elsewhere
    APISpec("", "", OPENAPI, plugins=[plugin])
    assert plugin.converter is not None  # noqa: S101  the line above sets it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, Any] = plugin.converter.schema2jsonschema(schema)  # type: ignore[no-untyped-call]
    return found
