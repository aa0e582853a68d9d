"""The server that a country puts beside OpenCRVS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The web application, by the environment unless told otherwise. Raises InvalidSettings and InvalidRules."""
    from app.composition import web  # here, so that importing one part of this package does not bring in all others
    from app.settings import Settings

    return web.create_app(settings or Settings.from_env())
