"""From a trigger to the deliveries it owes: which channel, which addresses, until when. Nothing here does I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import getaddresses
from typing import Any

from app.masking import mask_email, mask_number
from app.notifications.catalogue import ALERT, Expiry, Message
from app.notifications.recipients import Usable, address_for, masked_list, sort_emails
from app.outbox.delivery import NewDelivery
from app.outbox.states import Reason, State
from app.records.informant import Informant


@dataclass(frozen=True)
class Policy:
    """What decides where messages go. `methods` in order of preference; `lifetimes` in seconds.

    `destinations` maps a channel to where it ends; a channel that is not set up is missing. `setting` is the name of
    the one that `methods` comes from. A message is said in all of `languages`.
    """

    methods: Sequence[str]
    destinations: Mapping[str, str]
    lifetimes: Mapping[Expiry, float]
    max_recipients: int
    languages: Sequence[str]
    setting: str = "USER_NOTIFICATION_DELIVERY_METHOD"

    @property
    def channels(self) -> set[str]:
        """Those of `methods` that are set up."""
        return {method for method in self.methods if method in self.destinations}

    @property
    def channels_to_users(self) -> set[str]:
        """The same, and e-mail: some messages go by it whatever the method."""
        return ({*self.methods, "email"} & self.destinations.keys()) if self.methods else set()


def plan(message: Message, payload: Mapping[str, Any], received_at: float, policy: Policy) -> list[NewDelivery]:
    """What is owed, dropped ones included: each says why nobody is told."""
    if message is ALERT:
        return _alert(payload, policy)
    if message.announcement:
        return _announcement(message, payload["recipient"], policy)
    expires_at = received_at + policy.lifetimes[message.expiry] if message.expiry is not None else None
    return [_personal(message, payload["recipient"], policy, expires_at=expires_at)]


def informed(message: Message, informant: Informant, variables: Mapping[str, str], policy: Policy) -> NewDelivery:
    """What is owed to an informant."""
    return _personal(message, {"email": informant.email, "mobile": informant.mobile}, policy, variables=variables)


def _personal(
    message: Message,
    recipient: Mapping[str, Any],
    policy: Policy,
    *,
    expires_at: float | None = None,
    variables: Mapping[str, str] | None = None,
) -> NewDelivery:
    """One message for one person, by the first method for which there is an address; by the next where that fails.

    `variables` go with the delivery, where they are not in the trigger's payload.
    """
    methods = list(policy.methods)
    if not methods:
        return switched_off(message, policy)
    if message.to_registered_email and "email" in policy.destinations:
        methods = ["email", *(method for method in methods if method != "email")]
    methods = [method for method in methods if method in policy.destinations] or methods[:1]
    for channel in methods:
        address, usable = address_for(channel, recipient)
        if usable is Usable.DEMO:
            return _not_sent(message, channel, State.DROPPED, Reason.DEMO_ADDRESS, _masked(channel, address))
    owed: list[NewDelivery] = []
    unusable = None
    for channel in methods:
        address, usable = address_for(channel, recipient)
        masked = _masked(channel, address)
        if usable is Usable.YES and channel in policy.destinations:
            payload = {"to": [address], "bcc": [], "languages": list(policy.languages)}
            owed.append(
                NewDelivery(
                    key=channel,
                    channel=channel,
                    destination=policy.destinations[channel],
                    priority=message.priority,
                    message=message.name,
                    recipient=masked,
                    payload=payload if variables is None else payload | {"variables": dict(variables)},
                    expires_at=expires_at,
                )
            )
        elif usable is Usable.INVALID:
            unusable = _not_sent(message, channel, State.FAILED, "this is not an e-mail address", masked)
    if owed:
        return _each_if_the_one_before_fails(owed)
    if unusable is not None:
        return unusable
    if methods[0] not in policy.destinations:
        return _not_sent(message, methods[0], State.DROPPED, f"{Reason.SWITCHED_OFF}: {methods[0]} is not set up")
    return _not_sent(message, methods[0], State.DROPPED, f"{Reason.NO_ADDRESS} for {' or '.join(methods)}")


def _masked(channel: str, address: str) -> str:
    return mask_email(address) if channel == "email" else mask_number(address)


def _each_if_the_one_before_fails(owed: Sequence[NewDelivery]) -> NewDelivery:
    first, *others = owed
    return replace(first, otherwise=_each_if_the_one_before_fails(others)) if others else first


def _announcement(message: Message, recipient: Mapping[str, Any], policy: Policy) -> list[NewDelivery]:
    """E-mail to the administrator, visibly and only in the first part, and to everybody in bcc."""
    if not policy.methods:
        return [switched_off(message, policy)]
    if "email" not in policy.destinations:
        return [_not_sent(message, "email", State.DROPPED, f"{Reason.SWITCHED_OFF}: e-mail is not set up")]
    admin = recipient.get("email", "").strip()
    addresses = sort_emails([admin, *recipient.get("bcc", [])])
    to = addresses.usable[:1] if addresses.usable and addresses.usable[0] == admin else ()
    planned = [
        NewDelivery(
            key=f"email.{number}",
            channel="email",
            destination=policy.destinations["email"],
            priority=message.priority,
            message=message.name,
            recipient=masked_list(chunk),
            payload={
                "to": [address for address in chunk if address in to],
                "bcc": [address for address in chunk if address not in to],
                "languages": list(policy.languages),
            },
        )
        for number, chunk in enumerate(_chunks(addresses.usable, policy.max_recipients), start=1)
    ]
    left_out = [
        _not_sent(message, "email", state, reason, masked_list(those), key=key)
        for key, state, reason, those in (
            ("email.demo", State.DROPPED, Reason.DEMO_ADDRESS.value, addresses.demo),
            ("email.invalid", State.FAILED, "not e-mail addresses", addresses.invalid),
        )
        if those
    ]
    return planned + left_out or [_not_sent(message, "email", State.DROPPED, f"{Reason.NO_ADDRESS} for email")]


def _alert(payload: Mapping[str, Any], policy: Policy) -> list[NewDelivery]:
    """POST /email: `to` may hold several addresses, all of them visible."""
    if "email" not in policy.destinations:
        return [_not_sent(ALERT, "email", State.DROPPED, f"{Reason.SWITCHED_OFF}: e-mail is not set up")]
    addresses = sort_emails(_addresses(payload["to"]))
    if addresses.usable:
        return [
            NewDelivery(
                key="email",
                channel="email",
                destination=policy.destinations["email"],
                priority=ALERT.priority,
                message=ALERT.name,
                recipient=masked_list(addresses.usable),
                payload={"to": list(addresses.usable), "bcc": [], "languages": list(policy.languages)},
            )
        ]
    if addresses.demo:
        return [_not_sent(ALERT, "email", State.DROPPED, Reason.DEMO_ADDRESS, masked_list(addresses.demo))]
    if addresses.invalid:
        return [_not_sent(ALERT, "email", State.FAILED, "not an e-mail address", masked_list(addresses.invalid))]
    return [_not_sent(ALERT, "email", State.DROPPED, f"{Reason.NO_ADDRESS} in `to`: is ALERT_EMAIL set?")]


def _addresses(header: str) -> list[str]:
    """Of a header with commas and display names; what cannot be read as one is an address that is none."""
    try:
        return [address for _, address in getaddresses([header])]
    except RecursionError:  # comments may stand in comments
        return [header]


def switched_off(message: Message, policy: Policy) -> NewDelivery:
    """Where messages of this kind are switched off."""
    return _not_sent(message, "email", State.DROPPED, f"{Reason.SWITCHED_OFF}: {policy.setting}")


def _not_sent(
    message: Message,
    channel: str,
    state: State,
    reason: str,
    recipient: str | None = None,
    key: str | None = None,
) -> NewDelivery:
    return NewDelivery(
        key=key or channel,
        channel=channel,
        destination=channel,
        priority=message.priority,
        message=message.name,
        recipient=recipient,
        state=state,
        reason=str(reason),
    )


def _chunks(items: Sequence[str], size: int) -> list[Sequence[str]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
