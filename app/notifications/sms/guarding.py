"""A provider of a country's own, held to what a provider answers: an odd answer must not send a text again."""

from __future__ import annotations

import math
from collections.abc import Callable

import structlog

from app.cleaning import clean
from app.notifications.sms.sender import Provider, ProviderCrashed
from app.outbox.delivery import Dropped, Failed, Outcome, Retry, Sent

_LONGEST_ID = 200

Own = Callable[[str, str, str], object]

log = structlog.get_logger()


def guarded(name: str, provider: Own) -> Provider:
    """The same, with an outcome for whatever it answers. Raises ProviderCrashed."""

    def send(number: str, text: str, delivery_id: str, _life: float | None = None) -> Outcome:
        try:
            answered = provider(number, text, delivery_id)
        except Exception as error:
            raise ProviderCrashed(name, error) from error
        return _outcome(name, answered)

    return send


def _outcome(name: str, answered: object) -> Outcome:
    """With what fields have to be. What is no outcome counts as sent: nobody is to get a message twice."""
    match answered:
        case Sent(answer=answer, provider_id=provider_id):
            return Sent(_text(answer), _id(provider_id))
        case Retry(answer=answer, destination_down=destination_down, after=after):
            return Retry(_text(answer), bool(destination_down), _seconds(after))
        case Failed(reason=reason, answer=answer):
            return Failed(_text(reason), _text(answer))
        case Dropped(reason=reason):
            return Dropped(_text(reason))
    what = f"the SMS provider {name} answered with {type(answered).__name__}, not with Sent, Retry or Failed"
    log.error("sms.odd_answer", reason=what, advice=f"mend sms/{name}.py")
    return Sent(f"{what}: whether this went out is not known")


def _text(value: object) -> str:
    """What is no text may hold anything, so its kind is all that is shown of it."""
    return value if isinstance(value, str) else "" if value is None else f"({type(value).__name__})"


def _id(value: object) -> str | None:
    return clean(str(value))[:_LONGEST_ID] if isinstance(value, str | int) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 and math.isfinite(value) else None
