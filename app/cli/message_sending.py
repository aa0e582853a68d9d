"""`country-config messages send`: the sample of one message, for real, to whoever wants to see it arrive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from app import country, logs
from app.composition.messages import create_renderer, mail_server, message_variables, sms_provider
from app.database import schema
from app.database.engine import Database
from app.database.identifiers import new_id
from app.encryption import Cipher
from app.notifications.email.answers import PermanentError, TemporaryError
from app.notifications.email.mime import Email
from app.notifications.inbox import Inbox
from app.notifications.recipients import Usable, judge_email
from app.notifications.render import Renderer
from app.notifications.sample import Sample
from app.notifications.sms.numbers import NotANumber, e164
from app.notifications.sms.segments import segments
from app.notifications.sms.sender import ProviderCrashed
from app.outbox.delivery import Dropped, Failed, Outcome, Retry, Sent
from app.settings import Settings
from app.triggers.catalogue import trigger_types
from app.triggers.rehearsal import samples

EMAIL_MARK = "[Test] "
SMS_MARK = "Test: "  # brackets count double in an SMS


@click.command()
@click.argument("name")
@click.argument(
    "directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="[DIR]"
)
@click.option("--to", "recipient", required=True, help="An e-mail address or a telephone number.")
@click.option("--language", "languages", multiple=True, help="Several are said in one message. [default: the usual]")
@click.option("--channel", type=click.Choice(["email", "sms"]), help="[default: what --to is]")
def send(name: str, directory: Path | None, recipient: str, languages: Sequence[str], channel: str | None) -> None:
    """Send the sample of the message NAME, at once and marked as a test. Exits 1 where it is not taken.

    DIR is a country's directory; without it, COUNTRY_DIR. It goes through the mail server or the SMS provider that the
    server is set to, and leaves nothing in the outbox.
    """
    settings = Settings.from_env({**os.environ, "COUNTRY_DIR": str(directory)} if directory is not None else None)
    logs.configure(settings)
    sample = _sample(settings, name)
    renderer = create_renderer(settings)
    languages = _known(languages or settings.languages, renderer)
    if (channel or ("email" if "@" in recipient else "sms")) == "email":
        answer = _by_email(settings, renderer, sample, recipient.strip(), languages)
    else:
        answer = _by_sms(settings, renderer, sample, recipient.strip(), languages)
    whose = f"with what {settings.country_dir} changes" if settings.country_dir else "as shipped: no DIR is named"
    click.echo(f"{answer} The message is {whose}.")


def _sample(settings: Settings, name: str) -> Sample:
    kinds = trigger_types(country.load(settings.country_dir)).values()
    there = {one.message.name: one for one in samples(kinds, message_variables(settings))}
    if name not in there:
        close = get_close_matches(name, there)
        hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {', '.join(there)}."
        raise click.UsageError(f"There is no message {name}. {hint}")
    return there[name]


def _known(languages: Sequence[str], renderer: Renderer) -> Sequence[str]:
    for language in languages:
        if language not in renderer.languages:
            raise click.UsageError(f"There is no language {language}; there are {', '.join(renderer.languages)}.")
    return languages


def _by_email(settings: Settings, renderer: Renderer, sample: Sample, address: str, languages: Sequence[str]) -> str:
    """What the mail server answered."""
    if settings.smtp.host is None:
        raise click.ClickException(
            "No mail server is set: set SMTP_HOST, and where it asks for them SMTP_PORT, SMTP_USERNAME and "
            "SMTP_PASSWORD. To see the message without one: country-config messages preview"
        )
    match judge_email(address):
        case Usable.DEMO:
            raise click.ClickException("To @example.com nothing is sent: it is where demo users have their addresses.")
        case Usable.INVALID | Usable.ABSENT:
            raise click.UsageError("--to is not an e-mail address. Write it as name@domain.")
    rendered = renderer.email(sample.message.name, sample.variables, *languages)
    email = Email(
        sender=settings.sender_email_address,
        to=(address,),
        bcc=(),
        subject=EMAIL_MARK + rendered.subject,
        html=rendered.html,
        text=rendered.text,
        message_id=f"<test.{new_id()}@{settings.domain}>",
        images=rendered.images,
        reply_to=settings.reply_to,
    )
    transport = mail_server(settings)
    server = f"{settings.smtp.host}:{settings.smtp.port}"
    try:
        result = transport.send(email)
    except TemporaryError as error:
        raise click.ClickException(f"Not sent, {server} may take it later: {error.answer}") from None
    except PermanentError as error:
        raise click.ClickException(f"Not sent, {error.reason}: {error.answer}") from None
    finally:
        transport.close()
    if result.refused:
        raise click.ClickException(f"Not sent, {server} refuses the recipient: {result.refused[address].reply}")
    return f"Taken by {server}: {result.reply}\nIts subject: {email.subject}"


def _by_sms(settings: Settings, renderer: Renderer, sample: Sample, number: str, languages: Sequence[str]) -> str:
    """What the SMS provider answered."""
    if sample.message.sms_id is None:
        raise click.UsageError(f"{sample.message.name} goes by e-mail only.")
    if settings.sms_provider is None:
        raise click.ClickException("No SMS provider is set: set SMS_PROVIDER.")
    try:
        written = e164(number, settings.phone_region)
    except NotANumber as error:
        raise click.UsageError(f"--to is {error}.") from None
    text = SMS_MARK + renderer.sms(sample.message.sms_id, sample.variables, *languages)
    try:
        outcome = _handed_over(settings, written, text)
    except ProviderCrashed as crashed:
        raise click.ClickException(f"Perhaps not sent, {crashed}: {crashed.__cause__}") from crashed
    match outcome:
        case Sent(answer=answer):
            count = segments(text).count
            segments_sent = f"{count} segment{'' if count == 1 else 's'}"
            return f"Taken by {settings.sms_provider}: {answer}\nIts text, {segments_sent}: {text}"
        case Retry(answer=answer):
            raise click.ClickException(f"Not sent, {settings.sms_provider} may take it later: {answer}")
        case Failed(reason=reason, answer=answer):
            raise click.ClickException(f"Not sent, {reason}{': ' if answer else ''}{answer}")
        case Dropped(reason=reason):
            raise click.ClickException(f"Not sent, {reason}")


def _handed_over(settings: Settings, number: str, text: str) -> Outcome:
    """Raises OldSchema where the inbox is the provider and has no table to lie in."""
    database = Database(settings.database_url)
    try:
        if settings.sms_provider == "inbox":
            schema.check(database)
        return sms_provider(settings, Inbox(database, Cipher(settings.secret_keys)))(number, text, new_id())
    finally:
        database.close()
