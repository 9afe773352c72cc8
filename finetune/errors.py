"""What can go wrong in training, in a trainer's words."""

from __future__ import annotations


class FinetuneError(Exception):
    """Something a trainer can act on: the message names the file or setting and says what to do."""
