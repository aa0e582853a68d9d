"""`/receipts/…`: SMS providers tell what became of a message that they took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from app.access.gate import Forbidden
from app.database.engine import Database
from app.encryption import Cipher
from app.http.errors import Refused
from app.notifications.sms.receipts import infobip, twilio
from app.notifications.sms.receipts.addresses import Forged, NotAReceipt, ReceiptAddresses
from app.outbox.receipts import Receipt, take

_LARGEST = 262_144  # bytes


def receipt_routes(
    database: Database, cipher: Cipher, addresses: ReceiptAddresses | None, twilio_token: str | None
) -> Blueprint:
    """204 where the receipt was taken, 403 where it is forged, 404 where no delivery is meant.

    Nothing is there where `addresses` is None: no provider was asked for receipts.
    """
    routes = Blueprint("receipts", __name__, url_prefix="/receipts")

    def take_all(read: Callable[[ReceiptAddresses], Sequence[Receipt]]) -> Response:
        if addresses is None:
            raise NotFound
        request.max_content_length = _LARGEST
        try:
            receipts = read(addresses)
        except Forged as error:
            raise Forbidden(str(error)) from None
        except NotAReceipt as error:
            raise Refused(422, "Invalid receipt", [{"path": [], "message": str(error)}]) from None
        taken = [take(database, cipher, "sms", receipt) for receipt in receipts]
        if not all(taken):
            raise NotFound
        return Response(status=204)

    @routes.post("/twilio/<delivery_id>")
    def of_twilio(delivery_id: str) -> Response:
        if twilio_token is None:
            raise NotFound
        signature = request.headers.get("X-Twilio-Signature", "")
        return take_all(
            lambda ours: [twilio.read(delivery_id, ours.of_twilio(delivery_id), request.form, signature, twilio_token)]
        )

    @routes.post("/infobip/<delivery_id>/<token>")
    def of_infobip(delivery_id: str, token: str) -> Response:
        return take_all(lambda ours: infobip.read(delivery_id, token, request.get_data(), ours))

    return routes
