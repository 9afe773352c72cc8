"""Errors of speech, in words for the person who speaks."""

from __future__ import annotations

from tutor_app.errors import TutorError


class SpeechError(TutorError):
    """Speech cannot be had now: no microphone, no model, an audio file that is none. Typing always works."""


class BadAudio(SpeechError):
    """An audio file with nothing in it that could be listened to; the message says why."""
