"""Hand-in files: what a learner gives to an instructor, signed, and sealed when the instructor has a key.

The signature (Ed25519, a key of the learner's own that moves with their file) shows that a hand-in comes from the
same learner as the one before and was not changed on the way. It does not prove who sat at the keyboard. Sealing
is X25519 with a fresh key, HKDF-SHA256 and ChaCha20-Poly1305; only the instructor's private key opens it. The
recipient is named inside what is signed, so that a hand-in cannot be passed on as one made for somebody else.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tutor_app.errors import TutorError
from tutor_app.progress import schema
from tutor_app.progress.archive import Tables, are_tables, tables_of
from tutor_app.progress.sharing import LEVELS, Share, shared
from tutor_app.progress.store import Store

SUFFIX = ".handin"
PLAIN, SEALED = "linguist-handin", "linguist-handin-sealed"
VERSION = 1
PUBLIC_PREFIX = "linguist-x25519:"
MAX_BYTES = 64 << 20
MAX_UNPACKED_BYTES = 512 << 20
END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC).timestamp()
"""Later than anything that comes up again, and far from what a date cannot say."""
_INFO = b"linguist hand-in 1"


@dataclass(frozen=True)
class HandIn:
    """A hand-in whose signature is good."""

    file: str
    """Name of the file it came in."""
    name: str
    """As the learner wants to appear."""
    learner: str
    """Fingerprint of the learner's key: the same for every hand-in of one learner."""
    made_at: float
    share: Share
    set_ids: tuple[str, ...]
    tables: Tables


def hand_in(
    store: Store,
    target: Path,
    *,
    set_ids: Collection[str],
    share: Share,
    now: float,
    name: str | None = None,
    recipient: Path | None = None,
) -> None:
    """Write a hand-in of some sets to `target`, sealed for the public key in the file `recipient`, if given."""
    key = _signing_key(store)
    to = None if recipient is None else read_public_key(recipient)
    with store.transaction() as connection:  # one moment of the file, whatever other windows do
        tables = shared(tables_of(connection), share, set_ids)
    payload = json.dumps(
        {
            "name": name or store.learner.name,
            "made_at": now,
            "share": share,
            "sets": sorted(set_ids),
            "to": _text(_raw(to)) if to else "",
            "migrations": list(schema.known()),
            "tables": tables,
        },
        ensure_ascii=False,
        sort_keys=True,
        allow_nan=False,
    ).encode()
    packed = zlib.compress(payload, 9)
    signed = json.dumps(
        {
            "format": PLAIN,
            "version": VERSION,
            "key": _text(_raw(key.public_key())),
            "signature": _text(key.sign(packed)),
            "payload": _text(packed),
        }
    ).encode()
    _write(target, signed if to is None else _sealed(signed, to))


def path_of(written: str) -> Path:
    """A path as somebody wrote it, `~` for a home folder. Raises TutorError when nobody has that home."""
    try:
        return Path(written).expanduser()
    except RuntimeError as error:
        raise TutorError(f"There is no home folder for {written}. Write the whole path.") from error


def free_path(written: str) -> Path:
    """`path_of`, for a file that is to be made. Raises TutorError where there is one already, or none can be."""
    path = path_of(written)
    try:
        path.stat()
    except FileNotFoundError:
        return path
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        why = getattr(error, "strerror", None) or "no file can have this name"
        raise TutorError(f"{written} cannot be written ({why}). Choose another place or name.") from error
    raise TutorError("There is a file of this name already. Choose another.")


def read_hand_in(path: Path, private_key: Path | None = None) -> HandIn:
    """A hand-in, opened and checked. Raises TutorError, one sentence, for anything that is not a good one."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TutorError(f"{path.name} is too large to be a hand-in.")
        outer = json.loads(path.read_bytes())
        own = None
        if outer["format"] == SEALED:
            if private_key is None:
                raise TutorError(f"{path.name} is sealed: give your private key with --key.")
            own = read_private_key(private_key)
            outer = json.loads(_opened(outer, own, path.name))
        if outer["format"] != PLAIN:
            raise TutorError(f"{path.name} is not a hand-in.")
        if outer["version"] != VERSION:
            raise TutorError(f"{path.name} was made by a newer version of the tutor. Update this one first.")
        public = _bytes(outer["key"])
        packed = _bytes(outer["payload"])
        Ed25519PublicKey.from_public_bytes(public).verify(_bytes(outer["signature"]), packed)
        return _read_payload(_unpacked(packed), public, own, path.name)
    except OSError as error:
        raise TutorError(f"{path} could not be read ({error.strerror}).") from error
    except InvalidSignature as error:
        raise TutorError(f"{path.name} was changed after it was made; ask for it again.") from error
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error, RecursionError) as error:
        raise TutorError(f"{path.name} is not a hand-in, or it is damaged.") from error


def _read_payload(text: bytes, public: bytes, own: X25519PrivateKey | None, label: str) -> HandIn:
    content = json.loads(text)
    if content["to"] != (_text(_raw(own.public_key())) if own else ""):
        raise TutorError(f"{label} was made for somebody else.")
    if tuple(content["migrations"]) != schema.known():
        raise TutorError(f"{label} was made by another version of the tutor. Use the same one on both sides.")
    if content["share"] not in LEVELS:
        raise ValueError("unknown level of sharing")
    # A good signature only says that it is somebody's own: raises ValueError for what is neither text nor number.
    json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
    tables = content["tables"]
    if not are_tables(tables) or not all(map(_in_time, chain.from_iterable(tables.values()))):
        raise ValueError("no rows of ours")
    made = HandIn(
        file=label,
        name=str(content["name"]),
        learner=hashlib.sha256(public).hexdigest()[:16],
        made_at=float(content["made_at"]),
        share=content["share"],
        set_ids=tuple(dict.fromkeys(map(str, content["sets"]))),
        tables=tables,
    )
    if not _in_time({"made_at": made.made_at}):
        raise ValueError("no time of ours")
    return made


def _in_time(row: dict[str, Any]) -> bool:
    """Whether the times in a row have a date, and the time that was spent an end."""
    times = (value for key, value in row.items() if key in ("at", "active_s") or key.endswith("_at"))
    return all(value is None or 0 <= value < END_OF_TIME for value in times)


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(packed, MAX_UNPACKED_BYTES)
    if not unpacker.eof:
        raise ValueError("too large or cut short")
    return text


def _sealed(content: bytes, to: X25519PublicKey) -> bytes:
    once = X25519PrivateKey.generate()
    nonce = os.urandom(12)
    key = _shared_key(once.exchange(to), _raw(once.public_key()), _raw(to))
    return json.dumps(
        {
            "format": SEALED,
            "version": VERSION,
            "once": _text(_raw(once.public_key())),
            "nonce": _text(nonce),
            "content": _text(ChaCha20Poly1305(key).encrypt(nonce, content, _INFO)),
        }
    ).encode()


def _opened(outer: dict[str, Any], own: X25519PrivateKey, label: str) -> bytes:
    once = _bytes(outer["once"])
    key = _shared_key(own.exchange(X25519PublicKey.from_public_bytes(once)), once, _raw(own.public_key()))
    try:
        return ChaCha20Poly1305(key).decrypt(_bytes(outer["nonce"]), _bytes(outer["content"]), _INFO)
    except InvalidTag as error:
        raise TutorError(f"{label} is sealed for another key, or was changed on the way.") from error


def _shared_key(secret: bytes, once: bytes, to: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=once + to, info=_INFO).derive(secret)


def make_key(path: Path) -> Path:
    """An instructor's key pair: `path`, private and for nobody else, and `path`.pub, to give to the class.

    Returns the public file. Raises TutorError when there is a file already: its hand-ins could not be read any more.
    """
    key = X25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = path.with_name(path.name + ".pub")
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(pem)
        public.write_text(PUBLIC_PREFIX + _text(_raw(key.public_key())) + "\n", encoding="utf-8")
    except FileExistsError as error:
        raise TutorError(
            f"{path} is there already. Choose another name; keep the old key for old hand-ins."
        ) from error
    except OSError as error:
        raise TutorError(f"{path} could not be written ({error.strerror}).") from error
    return public


def read_public_key(path: Path) -> X25519PublicKey:
    """The instructor's public key in a file. Raises TutorError."""
    try:
        text = path.read_text(encoding="utf-8").strip()
        if not text.startswith(PUBLIC_PREFIX):
            raise ValueError("no prefix")
        return X25519PublicKey.from_public_bytes(_bytes(text.removeprefix(PUBLIC_PREFIX)))
    except (OSError, ValueError) as error:
        raise TutorError(f"{path} is not an instructor's public key (a line {PUBLIC_PREFIX}…).") from error


def read_private_key(path: Path) -> X25519PrivateKey:
    """The instructor's private key in a file. Raises TutorError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TutorError(f"{path} is not a private key made by `tutor report --new-key`.") from error
    if not isinstance(key, X25519PrivateKey):
        raise TutorError(f"{path} is a key of another kind.")
    return key


def _signing_key(store: Store) -> Ed25519PrivateKey:
    """The learner's key, made at the first hand-in."""
    with store.transaction() as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'signing_key'").fetchone()
        if row:
            return Ed25519PrivateKey.from_private_bytes(_bytes(store.database.json(row[0])))
        key = Ed25519PrivateKey.generate()
        connection.execute(
            "INSERT INTO meta (key, value) VALUES ('signing_key', ?)",
            (json.dumps(_text(key.private_bytes_raw())),),
        )
        return key


def _write(target: Path, content: bytes) -> None:
    part = target.with_name(target.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, target)
    except OSError as error:
        with contextlib.suppress(OSError):  # where it could not be written, it cannot be looked for either
            part.unlink()
        raise TutorError(f"{target} could not be written ({error.strerror}).") from error


def _raw(key: X25519PublicKey | Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
