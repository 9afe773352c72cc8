"""The pieces in a sentencepiece `tokenizer.model`, read without the sentencepiece library.

The file is a protobuf `ModelProto`; field 1 repeats `SentencePiece {piece = 1, score = 2, type = 3}`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from quantize.errors import Unreadable
from quantize.files import reading

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
PIECES = 1


@dataclass(frozen=True)
class Piece:
    """One entry of the vocabulary. `kind`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte."""

    text: bytes
    score: float
    kind: int


def read_pieces(path: Path) -> list[Piece]:
    """The vocabulary in order of id. Raises `Unreadable`."""
    with reading(path):
        data = path.read_bytes()
    try:
        pieces = [
            _piece(body) for number, body in _messages(data) if number == PIECES and isinstance(body, bytes)
        ]
    except (IndexError, struct.error, ValueError) as error:
        raise Unreadable(f"{path} is truncated or not a sentencepiece model; download it again") from error
    if not pieces:
        raise Unreadable(f"{path} holds no pieces; download it again")
    return pieces


def _piece(data: bytes) -> Piece:
    text, score, kind = b"", 0.0, 1
    for number, value in _messages(data):
        if number == 1 and isinstance(value, bytes):
            text = value
        elif number == 2 and isinstance(value, float):
            score = value
        elif number == 3 and isinstance(value, int):
            kind = value
    return Piece(text, score, kind)


def _messages(data: bytes) -> list[tuple[int, bytes | float | int]]:
    """The fields of a message: (number, value)."""
    found: list[tuple[int, bytes | float | int]] = []
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            found.append((number, value))
        elif wire == BYTES:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("length")
            found.append((number, data[at : at + length]))
            at += length
        elif wire == FIXED32:
            found.append((number, float(struct.unpack_from("<f", data, at)[0])))
            at += 4
        elif wire == FIXED64:
            struct.unpack_from("<d", data, at)
            at += 8
        else:
            raise ValueError("wire type")
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
