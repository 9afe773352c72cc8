"""Errors that are meant to be read by the person at the keyboard."""

from __future__ import annotations


class TutorError(Exception):
    """Something the user can act on: the message says what happened and what to do.

    Commands print the message on stderr and exit 1; the app shows it as a sentence.
    """
