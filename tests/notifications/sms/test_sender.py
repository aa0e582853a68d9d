"""The sender of the `sms` channel: what it makes of a delivery before a provider sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.notifications.sms.sender import sms_sender
from app.outbox.delivery import Delivery, Dropped, Failed, Outcome, Sent, Trigger
from app.outbox.states import Priority, Reason
from app.triggers.catalogue import USER_TRIGGERS
from tests.notifications.rendering import RENDERER

MESSAGES = {kind.message.name: kind.message for kind in USER_TRIGGERS.values()}


class Recorder:
    """A provider that takes everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []

    def __call__(self, number: str, text: str, delivery_id: str) -> Outcome:
        self.taken.append((number, text, delivery_id))
        return Sent()
