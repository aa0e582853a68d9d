"""Infobip's delivery reports: JSON, posted to the notifyUrl of a message, a list even where it is of one.

https://www.infobip.com/docs/api/channels/sms/sms-messaging/logs-and-status-reports/receive-outbound-sms-message-report
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from app.notifications.sms.infobip_statuses import Standing, status_of
from app.notifications.sms.receipts.addresses import NotAReceipt, ReceiptAddresses
from app.outbox.receipts import Receipt
from app.outbox.states import State

_MOST_RESULTS = 100  # each costs a transaction
_STATES = {
    Standing.ARRIVED: State.DELIVERED,
    Standing.ON_ITS_WAY: State.SENT,
    Standing.REPEATED: State.SENT,  # says nothing of the message that had the id first
}


def read(delivery_id: str, token: str, body: bytes, addresses: ReceiptAddresses) -> tuple[Receipt, ...]:
    """The reports on this delivery, for which the URL had the token. Raises Forged and NotAReceipt."""
    addresses.check(delivery_id, token)
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAReceipt("it is not JSON") from None
    results = parsed.get("results") if isinstance(parsed, dict) else None
    if not isinstance(results, list):
        raise NotAReceipt("it has no list of results")
    if len(results) > _MOST_RESULTS:
        raise NotAReceipt(f"it has more than {_MOST_RESULTS} results, and is about one message")
    return tuple(_receipts(delivery_id, results))


def _receipts(delivery_id: str, results: list[Any]) -> Iterator[Receipt]:
    for result in results:
        status = status_of(result.get("status")) if isinstance(result, dict) else None
        if status is None or not isinstance(result.get("messageId"), str):
            raise NotAReceipt("a result has no messageId or no status")
        state = _STATES.get(status.standing, State.FAILED)
        reason = f"not delivered. {status.words}" if state is State.FAILED else None
        yield Receipt(delivery_id, result["messageId"], state, reason)
