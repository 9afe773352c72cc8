"""Errors that are meant to be read by the person at the keyboard."""

from __future__ import annotations


class QuantizeError(Exception):
    """Something the trainer can act on: one line that says what happened and what to do.

    The command line prints it on stderr and exits 1.
    """


class Unreadable(QuantizeError):
    """A file is missing, truncated, or not what its name says."""


class Unsupported(QuantizeError):
    """The file is sound, but holds something that cannot be merged or run without changing its meaning."""


class WrongBase(QuantizeError):
    """An adapter was trained on other weights than the ones given."""


class NoRoom(QuantizeError):
    """Disk or memory would not last, or did not."""


class VerificationFailed(QuantizeError):
    """The result is further from its source than the limits allow."""
