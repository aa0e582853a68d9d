"""`/openapi.json`, and `/docs` for people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, render_template

from app.openapi.document import openapi
from app.openapi.operation import Operation

_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"


def openapi_routes(operations: Iterable[Operation], server_url: str) -> Blueprint:
    """The document is made once."""
    routes = Blueprint(
        "openapi", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static"
    )
    document = openapi(operations, server_url)
    body = json.dumps(document, indent=1)

    @routes.get("/openapi.json")
    def as_json() -> Response:
        return Response(body, content_type="application/json")

    @routes.get("/docs")
    def docs() -> Response:
        page = render_template("docs/docs.html", document=document, groups=_groups(document), pretty=_pretty)
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(page, headers=headers, content_type="text/html; charset=utf-8")

    return routes


def _groups(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append({"path": path, "method": method, **operation})
    return groups


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
