"""Logs: one event a line on stderr, JSON in production; no address, number or token in clear."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from app.masking import mask
from app.settings import AppEnv, Settings

# Values that this server makes itself and that must stay readable: they are looked up by operators.
_AS_THEY_ARE = frozenset({"level", "timestamp", "request_id", "trigger_id", "delivery_id", "logger"})


def mask_values(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: every text in the event goes through `mask`."""
    return {key: value if key in _AS_THEY_ARE else _masked(value) for key, value in event.items()}


def place_of_error(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: the type and the traceback of an exception, without its message.

    The message of an unforeseen error may quote a name or a code. Those that are foreseen are logged as a reason.
    """
    raised = event.pop("exc_info", None)
    if raised:
        error = raised if isinstance(raised, BaseException) else _of_exc_info(raised)
        if error is not None:
            places = "".join(traceback.format_tb(error.__traceback__))
            event["error"] = f"{type(error).__module__}.{type(error).__qualname__}"
            event["traceback"] = places
    return event


def _of_exc_info(raised: Any) -> BaseException | None:
    """From what the standard library's loggers give: (type, error, traceback), or True for the one being handled."""
    error = raised[1] if isinstance(raised, tuple) else sys.exc_info()[1]
    return error if isinstance(error, BaseException) else None


def _masked(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return mask(str(value))


class _Stderr:
    """stderr, as it is when it is written to. A line that it cannot take is lost: nobody may lose more for a log.

    Its reader may be gone, and its disk full.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


_STDERR = cast("TextIO", _Stderr())  # as much of one as loggers use


def configure(settings: Settings) -> None:
    """Send this process's logs, those of the libraries too, to stderr; to be called again changes nothing."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    ending: list[Processor]
    if settings.app_env is AppEnv.PRODUCTION:
        ending = [place_of_error, mask_values, structlog.processors.JSONRenderer()]
    else:
        ending = [
            place_of_error,
            mask_values,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(_STDERR),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(_STDERR)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *ending,
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
