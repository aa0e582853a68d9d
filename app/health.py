"""Is this process alive, and can it do its work: for orchestrators and load balancers."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response

from app.database import schema
from app.database.engine import Database, DatabaseAway
from app.database.schema import OldSchema
from app.http.errors import RETRY_AFTER, json_response

log = structlog.get_logger()


def routes(database: Database) -> Blueprint:
    """`/health/live` says that the process answers; `/health/ready` that it can keep a trigger."""
    health = Blueprint("health", __name__, url_prefix="/health")

    @health.get("/live")
    def live() -> Response:
        return json_response({"status": "live"})

    @health.get("/ready")
    def ready() -> Response:
        try:
            schema.check(database)
        except (DatabaseAway, OldSchema) as error:
            log.error("health.not_ready", reason=str(error))
            why = "the database is away" if isinstance(error, DatabaseAway) else "the database has an old schema"
            return json_response({"status": "not ready", "reason": why}, 503, {"Retry-After": RETRY_AFTER})
        return json_response({"status": "ready"})

    return health
