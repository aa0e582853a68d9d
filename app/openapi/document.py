"""The OpenAPI 3.1 document, made from the schemas by which requests are judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from marshmallow import Schema

from app.http.schemas import OPENAPI, json_schema
from app.openapi.operation import Access, Credential, Operation

_PARAMETER = re.compile(r"\{(\w+)\}")
_REFUSALS: Mapping[str, str] = {
    "400": "The body is no JSON",
    "401": "The token or key is missing or not valid",
    "403": "Not allowed to this caller",
    "404": "There is no such thing",
    "413": "The body is too large",
    "415": "The body is not JSON",
    "422": "The body is not as it should be: details say where",
    "429": "Too many calls: Retry-After says when",
    "503": "Not now: Retry-After says when",
}
_ERROR = {
    "type": "object",
    "required": ["error", "details"],
    "properties": {
        "error": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["path", "message"],
                "properties": {
                    "path": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def openapi(operations: Iterable[Operation], server_url: str) -> dict[str, Any]:
    """The document. `server_url` is where the server is reached."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method] = _operation(one)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "Country config server",
            "version": version("country-config"),
            "description": "What OpenCRVS core calls, and what other systems may call.",
            "license": {"name": "MPL-2.0", "url": "https://www.mozilla.org/MPL/2.0/"},
        },
        "servers": [{"url": server_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "core": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "core's token for this call",
                },
                "client": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "an API key, as `country-config clients create` prints it",
                },
            },
            "schemas": {"Error": _ERROR},
        },
    }


def _operation(one: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "tags": [one.tag],
        "summary": one.summary,
        "operationId": _id(one),
        "security": _security(one.access),
        "responses": _responses(one),
    }
    text = f"{one.description} {one.access.who}".strip()
    if text:
        described["description"] = text
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(one.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": told, "schema": {"type": "string"}}
        for name, told in one.query.items()
    ]
    if parameters:
        described["parameters"] = parameters
    if one.body is not None:
        schema = json_schema(one.body) if isinstance(one.body, Schema) else one.body
        content: dict[str, Any] = {"schema": schema}
        if one.example is not None:
            content["example"] = one.example
        media = "application/x-www-form-urlencoded" if one.form else "application/json"
        described["requestBody"] = {"required": not one.body_is_optional, "content": {media: content}}
    return described


def _security(access: Access) -> list[dict[str, list[str]]]:
    """Any one of the entries is enough, and an empty one asks for nothing; no entries at all ask for nothing either."""
    if access.credentials == (Credential.NONE,):
        return []
    return [{} if credential is Credential.NONE else {credential.value: []} for credential in access.credentials]


def _responses(one: Operation) -> dict[str, Any]:
    responses: dict[str, Any] = {}
    for status, meaning in one.answers.items():
        responses[str(status)] = {"description": meaning}
        if status in (200, 201) and one.answer is not None:
            responses[str(status)]["content"] = {"application/json": {"schema": one.answer}}
    for refusal, meaning in _REFUSALS.items():
        error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        responses.setdefault(refusal, {"description": meaning, "content": error})
    return responses


def _id(one: Operation) -> str:
    words = [word for word in re.split(r"[^A-Za-z0-9]+", one.path) if word]
    return one.method + "".join(word[:1].upper() + word[1:] for word in words)
