"""The sender of the `email` channel: renders, hands over, and says what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from email.utils import parseaddr

from app.cleaning import clean
from app.notifications.catalogue import ALERT
from app.notifications.email.answers import Expired, PermanentError, Refusal, SenderRefused, SendResult, TemporaryError
from app.notifications.email.mime import Email
from app.notifications.email.plain_text import plain_text
from app.notifications.email.smtp import SmtpTransport
from app.notifications.errors import MessageError
from app.notifications.inbox import Inbox
from app.notifications.recipients import masked_list
from app.notifications.render import RenderedEmail, Renderer, one_line
from app.notifications.variables import MessageVariables, languages_of
from app.outbox.delivery import Delivery, Dropped, Failed, NewDelivery, Outcome, Retry, Sender, Sent
from app.outbox.states import Reason, State

# Takes an e-mail and a question, whether it has expired, that is asked right before it goes out.
Transport = Callable[[Email, Callable[[], bool]], SendResult]


def email_sender(
    renderer: Renderer,
    transport: Transport,
    sender: str,
    domain: str,
    variables: MessageVariables,
    reply_to: str | None = None,
) -> Sender:
    """`sender` is the From address, `domain` the right side of the Message-ID."""

    def send(delivery: Delivery) -> Outcome:
        try:
            rendered = _rendered(renderer, delivery, variables)
        except MessageError as error:
            return Failed(f"{error}. Mend it, restart the worker, then: country-config outbox retry {delivery.id}")
        email = Email(
            sender=_from(delivery) or sender,
            to=tuple(delivery.payload["to"]),
            bcc=tuple(delivery.payload["bcc"]),
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            message_id=f"<{delivery.id}@{domain}>",
            images=rendered.images,
            reply_to=None if delivery.message == ALERT.name else reply_to,
        )
        try:
            result = transport(email, lambda: delivery.expired)
        except Expired:
            return Dropped(Reason.EXPIRED)
        except SenderRefused as error:
            if _from(delivery) is not None:
                return Failed("the mail server refuses the sender that the alert names in `from`", error.answer)
            return Retry(error.answer, error.destination_down)
        except TemporaryError as error:
            return Retry(error.answer, error.destination_down)
        except PermanentError as error:
            return Failed(error.reason, error.answer)
        return _outcome(delivery, result)

    return send


def to_inbox(inbox: Inbox) -> Transport:
    """A transport that leaves e-mails in the development inbox."""

    def keep(email: Email, expired: Callable[[], bool]) -> SendResult:
        if expired():
            raise Expired
        inbox.put(
            email.message_id.strip("<>").partition("@")[0],
            "email",
            sender=email.sender,
            to=email.to,
            bcc=email.bcc,
            subject=email.subject,
            html=email.html,
            text=email.text,
        )
        return SendResult("kept in the inbox", {}, (*email.to, *email.bcc))

    return keep


def to_mail_server(transport: SmtpTransport) -> Transport:
    """A transport that hands e-mails to SMTP_HOST."""
    return lambda email, expired: transport.send(email, expired=expired)


def _rendered(renderer: Renderer, delivery: Delivery, variables: MessageVariables) -> RenderedEmail:
    payload = delivery.trigger.payload
    if delivery.message == ALERT.name:
        html = clean(payload["html"])
        return RenderedEmail(one_line(clean(payload["subject"])), html, plain_text(html))
    return renderer.email(delivery.message or "", variables.of_delivery(delivery), *languages_of(delivery))


def _from(delivery: Delivery) -> str | None:
    """An infrastructure alert names its own sender; None where it does not, or it is no address."""
    if delivery.message != ALERT.name:
        return None
    named = clean(str(delivery.trigger.payload.get("from", "")))
    return named if "@" in parseaddr(named)[1] else None


def _outcome(delivery: Delivery, result: SendResult) -> Outcome:
    """What became of it, with deliveries of their own for those that were refused: tried again, or failed.

    Failed is only what all were refused for good, since an operator's retry sends it to all of its recipients.
    """
    permanent = {address: refusal for address, refusal in result.refused.items() if refusal.permanent}
    temporary = [address for address in result.refused if address not in permanent]
    if not result.accepted and not permanent:
        return Retry(result.reply)
    if not result.accepted and not temporary:
        return Failed(_refused(permanent), result.reply)
    rests = _rests(delivery, permanent, temporary)
    if not result.accepted:
        return Dropped(f"split: {len(permanent)} recipients {_refused(permanent)}; {len(temporary)} later", rests)
    taken = f"{len(result.accepted)} of {len(result.accepted) + len(result.refused)} recipients, {result.reply}"
    return Sent(taken if result.refused else result.reply, follow_ups=rests)


def _rests(delivery: Delivery, permanent: Mapping[str, Refusal], temporary: Sequence[str]) -> list[NewDelivery]:
    """A delivery for each kind of refusal that there was."""
    rests = []
    if temporary:
        rests.append(_rest(delivery, temporary, "later"))
    if permanent:
        reason = _refused(permanent)
        rests.append(_rest(delivery, list(permanent), "refused", state=State.FAILED, reason=reason))
    return rests


def _refused(refusals: Mapping[str, Refusal]) -> str:
    return f"refused by the mail server: {next(iter(refusals.values())).reply}"


def _rest(
    delivery: Delivery, addresses: Sequence[str], why: str, state: State = State.QUEUED, reason: str | None = None
) -> NewDelivery:
    """The same message for these of its recipients alone."""
    return NewDelivery(
        key=f"{delivery.key}.{why}.{delivery.attempt}",
        channel=delivery.channel,
        destination=delivery.destination,
        priority=delivery.priority,
        message=delivery.message,
        recipient=masked_list(addresses),
        payload={
            "to": [address for address in delivery.payload["to"] if address in addresses],
            "bcc": [address for address in delivery.payload["bcc"] if address in addresses],
            **{name: value for name, value in delivery.payload.items() if name not in ("to", "bcc")},
        },
        expires_at=delivery.expires_at,
        state=state,
        reason=reason,
    )
