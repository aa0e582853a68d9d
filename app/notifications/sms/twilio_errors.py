"""Twilio's error codes, sorted by what can be done about them: https://www.twilio.com/docs/api/errors

The same codes come with a refused request, and with the receipt of a message that was taken and did not arrive.
"""

from __future__ import annotations

from app.notifications.sms.exchange import Answer
from app.outbox.delivery import Failed, Outcome, Retry

# What no retry can help: it lies with this recipient, or with this message.
_PERMANENT = {
    21211: "the number is not one that exists",
    21214: "the number cannot be reached",
    21217: "the number is not one that exists",
    21265: "the number is a short code, which takes no SMS from us",
    21266: "the number is the one that is sent from",
    21268: "the number is a premium one",
    21408: "the account may not send to this country: allow it in Twilio's console, under messaging geo permissions",
    21602: "the message is empty",
    21604: "there is no number",
    21605: "the message is too long",
    21608: "a trial account sends to verified numbers only: upgrade it, or verify the number in Twilio's console",
    21610: "the recipient has opted out, and can opt in again by sending START",
    21612: "this number cannot be reached from this sender: see Twilio's rules for senders in that country",
    21614: "the number is not a mobile one",
    21617: "the message is longer than 1,600 characters",
    21619: "the message is empty",
    21635: "the number is a landline",
    21656: "the text does not fit the content template",
    30004: "the recipient, or the network, blocks messages from this sender",
    30005: "the number is unknown, or not in use any more",
    30006: "the number is a landline, or its network cannot be reached",
    30007: "the network, or Twilio, filtered the message out as unwanted",
    63003: "the number is not on this channel",
    63016: "WhatsApp takes free text only within 24 hours of the recipient's own message: set TWILIO_CONTENT_SID",
    63024: "the number is not one that WhatsApp knows",
    63032: "WhatsApp does not let this message through to this recipient",
}
# What passes, and concerns this recipient alone.
_TEMPORARY = {
    30003: "the phone is switched off or out of reach",
    30008: "the network did not say why",
}
# What passes, or what an operator mends at Twilio's console or in our settings: it holds up all messages.
_DOWN = {
    10001: "the account is not active: see Twilio's console",
    14107: "more messages are sent than the account may send",
    20003: "the login is wrong, or the account is suspended: check TWILIO_ACCOUNT_SID, and the token or key",
    20005: "the account is not active: see Twilio's console",
    20008: "test credentials cannot send: set those of the account",
    20404: "there is no such account: check TWILIO_ACCOUNT_SID and TWILIO_BASE_URL",
    20429: "too many requests at once",
    20500: "Twilio is in trouble",
    20503: "Twilio is in trouble",
    21212: "the sender is not valid: check TWILIO_SENDER",
    21267: "a trial account cannot send from a name: upgrade it",
    21603: "there is no sender: set TWILIO_SENDER or TWILIO_MESSAGING_SERVICE_SID",
    21606: "the sender cannot send SMS: check TWILIO_SENDER",
    21609: "the address for receipts is not a URL that Twilio can call",
    21611: "too many messages from this sender wait at Twilio already",
    21659: "the sender is not a number at Twilio, or is a short code of another country: check TWILIO_SENDER",
    21660: "the sender belongs to another account: check TWILIO_SENDER and TWILIO_ACCOUNT_SID",
    21661: "the sender cannot send SMS: check TWILIO_SENDER",
    21701: "there is no such messaging service: check TWILIO_MESSAGING_SERVICE_SID",
    21703: "the messaging service has no senders: add one in Twilio's console",
    21704: "the messaging service has no sender for this message: add one in Twilio's console",
    21705: "there is no such messaging service: check TWILIO_MESSAGING_SERVICE_SID",
    30001: "too many messages wait at Twilio already",
    30002: "the account is suspended: see Twilio's console",
    63007: "the account has no such WhatsApp sender: check TWILIO_SENDER",
    63018: "more messages are sent than the channel takes",
    63038: "the account has sent all that it may send in a day: ask Twilio for more",
}
_MEANINGS = _PERMANENT | _TEMPORARY | _DOWN


def said(code: int | None) -> str:
    """What an operator is told of an error: its number, and what it means where we know that."""
    if code is None:
        return "Twilio gave no error code"
    return f"Twilio's error {code}: {_MEANINGS.get(code, f'see https://www.twilio.com/docs/api/errors/{code}')}"


def refused(answer: Answer, *hidden: str) -> Outcome:
    """What becomes of a message that Twilio did not take. What is `hidden` is shown to nobody."""
    code = error_code(answer.json)
    words = answer.excerpt(*hidden)
    if code in _PERMANENT:
        return Failed(said(code), answer=words)
    if code in _TEMPORARY:
        return Retry(said(code))
    if code in _DOWN:
        return Retry(said(code), destination_down=True, after=answer.retry_after)
    if answer.is_for_later:
        return Retry(f"Twilio answered {answer.status}: {words}", destination_down=True, after=answer.retry_after)
    if code is None:
        return not_twilio(answer)
    if answer.status in (401, 403, 404):
        return Retry(f"{said(code)}. Check TWILIO_ACCOUNT_SID, and the token or key", destination_down=True)
    return Failed(said(code), answer=words)


def not_twilio(answer: Answer) -> Outcome:
    """What becomes of a message that something else answered for."""
    return Retry(f"answered {answer.status}, and not by Twilio: is TWILIO_BASE_URL right?", destination_down=True)


def error_code(body: object) -> int | None:
    """The code in a JSON answer of Twilio's; None where there is none."""
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) else None
