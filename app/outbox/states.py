"""The states of a delivery, and how urgent it is."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class State(StrEnum):
    """queued → sending → sent → delivered, or failed, or dropped. A retry is queued with attempts above 0."""

    QUEUED = "queued"  # will be tried when due
    SENDING = "sending"  # a worker holds it, by lease
    SENT = "sent"  # taken by the provider
    DELIVERED = "delivered"  # the provider says that it arrived
    FAILED = "failed"  # for good, or all tries used up: a dead letter, can be retried by hand
    DROPPED = "dropped"  # on purpose, the reason says why


class Priority(IntEnum):
    """Lower goes first. Bulk never takes all of a destination's places."""

    OTP = 0  # somebody waits at a screen
    TRANSACTIONAL = 1
    BULK = 2


class Reason(StrEnum):
    """Why a delivery was dropped, where code decides by it."""

    EXPIRED = "expired: its code or link does not work any more"
    CANCELLED = "cancelled by an operator"
    REPEATED = "repeated: the same was received within the hour"
    SUPERSEDED = "superseded: newer news of the same record followed at once"
    NO_ADDRESS = "no address"
    DEMO_ADDRESS = "demo address: @example.com is never sent to"
    SWITCHED_OFF = "switched off"
