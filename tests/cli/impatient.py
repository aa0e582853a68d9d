"""gunicorn's settings as we have them, with less patience."""

from app.cli import gunicorn_worker
from app.cli.gunicorn_config import *  # noqa: F403  all of them are settings

gunicorn_worker.PATIENCE = 2.0
