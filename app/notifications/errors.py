"""What can be wrong with a message before anybody is asked to send it."""

from __future__ import annotations


class MessageError(Exception):
    """A message cannot be made out of its wording and layout; the text tells the country's team what to mend."""
