"""The values of labels, of which there must be few: Prometheus keeps a series for each."""

from __future__ import annotations

from app.outbox.places import ABROAD


def destination_label(destination: str) -> str:
    """The value of the label `destination`: `webhook` for all subscriptions together, else the destination's name."""
    return ABROAD.rstrip(":") if destination.startswith(ABROAD) else destination
