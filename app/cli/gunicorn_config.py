"""gunicorn's settings, read by gunicorn itself (`-c python:app.cli.gunicorn_config`)."""

from __future__ import annotations

from app import logs
from app.settings import Settings

_settings = Settings.from_env()

bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "gthread"
threads = 4  # measured: 2 and 8 are slower
keepalive = 30  # core keeps its connections to user triggers open
timeout = 60
graceful_timeout = 20
# A token past this limit would be answered by gunicorn, in HTML; below it, by us.
limit_request_field_size = 131_072
control_socket_disable = True
accesslog = None  # each trigger is logged once, with its id, by the application


def post_worker_init(_worker: object) -> None:
    """Logging is configured in each worker process, after gunicorn has set up its own."""
    logs.configure(_settings)
