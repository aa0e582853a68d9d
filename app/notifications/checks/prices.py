"""What an SMS costs, with values that are long and still occur."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from app.notifications.checks.problems import Problem, warning
from app.notifications.checks.wording import Wording
from app.notifications.errors import MessageError
from app.notifications.render import Renderer
from app.notifications.sample import Sample
from app.notifications.sms.segments import odd_characters, segments

_ROOM = {"GSM-7": 160, "UCS-2": 70}
# What typing aids put in, and what says the same for less.
_PLAIN = {
    "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00ab": '"', "\u00bb": '"', "\u2013": "-",
    "\u2014": "-", "\u2026": "...", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u00b7": "-", "\u2022": "-",
}  # fmt: skip
_FEW = 5  # with more odd characters, it is another script


def price_problems(words: Wording, sms_id: str, language: str, text: str) -> Iterator[Problem]:
    """Where the text costs more than one SMS."""
    counted = segments(text)
    if counted.count == 1:
        return
    place = words.place(sms_id, language)
    what = f"{sms_id} in {language} costs {counted.count} SMS ({counted.characters} characters, {counted.encoding})"
    odd = odd_characters(text)
    plain = "".join(_PLAIN.get(character, character) for character in text)
    if odd and not odd_characters(plain):
        swaps = ", ".join(f"{_shown(character)} by {_shown(_PLAIN[character])}" for character in odd)
        after = segments(plain).count
        cure = (
            f"replace {swaps}: with such characters an SMS has room for 70, without them for 160; then it costs {after}"
        )
    else:
        over = counted.characters - _ROOM[counted.encoding]
        cure = (
            f"make it {over} character{'s' if over > 1 else ''} shorter: one SMS has room for {_ROOM[counted.encoding]}"
        )
        if odd:
            cure += f", since there is {_shown(odd[0])} in it" if len(odd) <= _FEW else " in this script"
    yield warning(place.file, place.row, what, cure)


def price_together(
    renderer: Renderer, words: Wording, samples: Sequence[Sample], languages: Sequence[str]
) -> Iterator[Problem]:
    """What it costs to say every SMS in all these languages, as the dearest one shows."""
    dearest = (1, "")
    for sample in samples:
        sms_id = sample.message.sms_id
        if sms_id is not None:
            try:
                text = renderer.sms(sms_id, sample.long_variables, *languages)
            except MessageError:  # told of each language on its own
                continue
            dearest = max(dearest, (segments(text).count, sms_id))
    if len(languages) > 1 and dearest[1]:
        place = words.place(dearest[1])
        what = f"{dearest[1]} in {', '.join(languages)} together costs {dearest[0]} SMS, more than any other"
        cure = "shorten it; or name one language in NOTIFICATION_LANGUAGES, and let people choose theirs"
        yield warning(place.file, place.row, what, cure)


def _shown(character: str) -> str:
    return (
        character if character.isprintable() and not character.isspace() else unicodedata.name(character, "?").lower()
    )
