"""A PIN for learners who share an account, kept as a salted scrypt hash.

It keeps a neighbour from opening the wrong learner. It does not encrypt: who can read the account's files can
read the learner's file without it, and four digits are guessed quickly by somebody who has the hash. What really
separates people is an operating-system account each, and the settings screen says so. A forgotten PIN is lifted
by `tutor progress export` and `tutor progress import --without-pin`.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from typing import Any

from tutor_app.errors import TutorError

SETTING = "pin"
MIN_LENGTH = 4
COST, BLOCK, PARALLEL = 1 << 15, 8, 1  # 32 MiB and some 0.1 s a guess
_MAX_MEMORY = 64 << 20


def hashed(pin: str, salt: bytes | None = None) -> dict[str, Any]:
    """What to keep under the setting `pin`. Raises TutorError for one that is too short."""
    if len(pin) < MIN_LENGTH:
        raise TutorError(f"A PIN has at least {MIN_LENGTH} characters.")
    used = os.urandom(16) if salt is None else salt
    return {
        "salt": used.hex(),
        "hash": _key(pin, used, COST, BLOCK, PARALLEL).hex(),
        "cost": COST,
        "block": BLOCK,
        "parallel": PARALLEL,
    }


class PinNeeded(TutorError):
    """This learner's file is opened with a PIN."""


class WrongPin(PinNeeded):
    """That was not it."""


def ask(settings: Mapping[str, Any], pin: str) -> None:
    """Nothing when `pin` opens. Raises PinNeeded when one is wanted and none was given, WrongPin for another."""
    if is_set(settings) and not pin:
        raise PinNeeded("This learner has a PIN.")
    if not opens(settings, pin):
        raise WrongPin("That PIN does not fit. Try once more; nothing is lost.")


def is_set(settings: Mapping[str, Any]) -> bool:
    """Whether a learner's settings ask for a PIN."""
    return isinstance(settings.get(SETTING), dict)


def opens(settings: Mapping[str, Any], pin: str) -> bool:
    """Whether `pin` is the learner's; anything does when none is set."""
    kept = settings.get(SETTING)
    if not isinstance(kept, dict):
        return True
    key = _key(pin, bytes.fromhex(kept["salt"]), kept["cost"], kept["block"], kept["parallel"])
    return hmac.compare_digest(key, bytes.fromhex(kept["hash"]))


def _key(pin: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(
        pin.encode("utf-8"), salt=salt, n=cost, r=block, p=parallel, maxmem=_MAX_MEMORY, dklen=32
    )
