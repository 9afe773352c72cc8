"""Who made a pack: Ed25519 signatures, and the keys a student has decided to trust.

    Key.create(name) / Key.read(path) / key.write(path) / key.sign(manifest)
    check(manifest, signature_json) -> Signer      raises SignatureError
    TrustStore(path).known(signer)  .trust(signer)  .forget(fingerprint)

There is no authority behind a key. The first time a student installs a pack of some author they are shown
its name and fingerprint; from then on that author's sets can only be replaced by the same key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import unicodedata
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from lessons.files import replace_file
from lessons.problems import LessonError

PURPOSE = b"linguist lesson pack 1\n"
"""Signed with the content, so that a signature made for anything else is worth nothing here."""
MAX_NAME = 80
_MAX_JSON = 4096


class SignatureError(LessonError):
    """A signature, key or trust file that must not be relied on."""


@dataclass(frozen=True)
class Signer:
    """The author of a pack as far as cryptography knows: a key, and the name it goes by."""

    name: str
    public_key: str
    """32 bytes in base64."""

    @property
    def fingerprint(self) -> str:
        """What two people compare by telephone: 32 hex digits in groups of four."""
        digits = hashlib.sha256(base64.b64decode(self.public_key)).hexdigest()[:32]
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


@dataclass(frozen=True)
class Key:
    """An author's own key."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def create(cls, name: str) -> Key:
        """A new key for the author of this name."""
        return cls(_checked_name(name), Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> Key:
        """The key in a file that `write` made."""
        try:
            head, _, pem = path.read_bytes().partition(b"\n")
            private = load_pem_private_key(pem, password=None)
            name = head.decode("utf-8").removeprefix("# ")
        except OSError as error:
            raise SignatureError(f"The key {path} cannot be read: {error.strerror or error}.") from error
        except (ValueError, TypeError) as error:
            raise SignatureError(f"{path} is not a key made by `tutor lessons key`.") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise SignatureError(f"{path} is a key of another kind. Make one with `tutor lessons key`.")
        return cls(_checked_name(name), private)

    def write(self, path: Path) -> None:
        """Keep the key in `path`, readable only by its owner. Refuses to replace a file."""
        if path.exists():
            raise SignatureError(
                f"{path} already exists. Move it away first: a lost key cannot be made again."
            )
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, f"# {self.name}\n".encode() + pem, private=True)

    @property
    def signer(self) -> Signer:
        """The half of the key that everybody may see."""
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return Signer(self.name, base64.b64encode(raw).decode("ascii"))

    def sign(self, manifest: bytes) -> bytes:
        """`signature.json` for a pack with this manifest. Ed25519 gives the same bytes every time."""
        signer = self.signer
        signature = self.private.sign(_signed_bytes(signer, manifest))
        return _json({**asdict(signer), "signature": base64.b64encode(signature).decode("ascii")})


def check(manifest: bytes, signature_json: bytes) -> Signer:
    """Who signed `manifest`. Raises SignatureError when the signature is not theirs."""
    try:
        value = json.loads(signature_json[:_MAX_JSON])
        signer = Signer(_checked_name(value["name"]), value["public_key"])
        signature = base64.b64decode(value["signature"], validate=True)
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(signer.public_key, validate=True))
        if signature_json != _json(value) or set(value) != {"name", "public_key", "signature"}:
            raise SignatureError("The signature is not written as it should be.")
        public.verify(signature, _signed_bytes(signer, manifest))
    except InvalidSignature as error:
        raise SignatureError("The signature does not fit the content: somebody has changed it.") from error
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise SignatureError("The signature cannot be read.") from error
    return signer


def _signed_bytes(signer: Signer, manifest: bytes) -> bytes:
    """The name is covered too; hashing makes the parts of fixed length, so that none can run into another."""
    name = hashlib.sha256(signer.name.encode("utf-8")).digest()
    return PURPOSE + name + hashlib.sha256(manifest).digest()


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise SignatureError(f"The author's name must be 1 to {MAX_NAME} printable characters.")
    return name


def _looks(name: str) -> str:
    """What a name looks like at a glance: without accents, spaces, dots and the difference of capitals."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode("ascii")


class TrustStore:
    """The authors' keys that this student has accepted, in one small file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def signers(self) -> list[Signer]:
        """All trusted signers, by name."""
        try:
            value = json.loads(self.path.read_bytes())
            return sorted(
                (Signer(_checked_name(row["name"]), str(row["public_key"])) for row in value["signers"]),
                key=lambda signer: (signer.name, signer.public_key),
            )
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"The list of trusted authors {self.path} is damaged. Delete it to decide about each author again."
            raise SignatureError(message) from error

    def known(self, signer: Signer) -> bool:
        """Whether the student has accepted this key before, whatever name it went by."""
        return any(known.public_key == signer.public_key for known in self.signers())

    def namesake(self, signer: Signer) -> Signer | None:
        """Another trusted key that goes by the same name, which is what an impostor would choose."""
        others = (known for known in self.signers() if known.public_key != signer.public_key)
        return next((known for known in others if _looks(known.name) == _looks(signer.name)), None)

    def trust(self, signer: Signer) -> None:
        """Remember the student's decision for this key."""
        if not self.known(signer):
            self._write([*self.signers(), signer])

    def forget(self, fingerprint: str) -> bool:
        """Stop trusting the key with this fingerprint; False when it was not trusted."""
        wanted = "".join(fingerprint.split()).lower()
        signers = self.signers()
        kept = [signer for signer in signers if signer.fingerprint.replace(" ", "") != wanted]
        if len(kept) < len(signers):
            self._write(kept)
        return len(kept) < len(signers)

    def _write(self, signers: list[Signer]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.path, _json({"signers": [asdict(signer) for signer in signers]}), private=True)
