"""gunicorn's settings, read by gunicorn itself (`-c python:app.cli.gunicorn_config`)."""

from __future__ import annotations

import logging

import structlog
from gunicorn import glogging
from gunicorn.config import Config

from app import logs
from app.metrics import directory
from app.settings import Settings

_settings = Settings.from_env()
logs.configure(_settings)
directory.share(_settings.instance_dir)  # gunicorn's processes find it in the environment


class Logger(glogging.Logger):
    """gunicorn's warnings and errors among our own log lines; each trigger is logged once, by the application."""

    def setup(self, _config: Config) -> None:
        logs.configure(_settings)
        self.error_log.setLevel(logging.WARNING)
        self.access_log.setLevel(logging.CRITICAL)
        self.error_log.propagate = True  # to our handler; there is no other


bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_concurrency
worker_class = "app.cli.gunicorn_worker.Worker"
threads = 4  # measured: 2 and 8 are slower
keepalive = 30  # core keeps its connections to user triggers open
timeout = 60
graceful_timeout = 20
# A token past this limit would be answered by gunicorn, in HTML; below it, by us.
limit_request_field_size = 131_072
control_socket_disable = True
logger_class = Logger


def when_ready(_server: object) -> None:
    """Say so, in our own words."""
    structlog.get_logger().info("web.started", address=bind, processes=workers)
