"""YAML as plain data with line numbers: YAML 1.2 scalars, no aliases, no tags, no surprises.

PyYAML alone reads YAML 1.1, where `no` is false, `12:30` is 750 and an alias bomb of a few hundred bytes
fills the memory. Here libyaml only finds the structure; what a scalar means is decided below.
"""

from __future__ import annotations

import gc
import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lessons.problems import Problem, ReadError

try:
    from yaml._yaml import CParser as _Parser
except ImportError:  # a PyYAML built without libyaml reads the same, about ten times slower
    from yaml.composer import Composer
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class _Parser(Reader, Scanner, Parser, Composer):  # type: ignore[no-redef]
        def __init__(self, stream: str) -> None:
            Reader.__init__(self, stream)
            Scanner.__init__(self)
            Parser.__init__(self)
            Composer.__init__(self)


MAX_BYTES = 2 * 1024 * 1024
"""A lesson of 20 minutes is about 40 kB; nothing honest needs 2 MiB."""
MAX_NODES = 200_000
MAX_DEPTH = 40

Value = str | int | float | bool | list["Value"] | dict[str, "Value"] | None
Step = str | int

_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,17}\Z")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
    **dict.fromkeys(["null", "Null", "NULL", "~", ""], None),
}
_MAYBE_NOT_TEXT = frozenset("0123456789+-tTfFnN~")
# C0 and C1 controls but tab and newline, line and paragraph separators, and the characters that override
# the direction of text: none belongs in a lesson, and a terminal would act on most of them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufeff\ud800-\udfff]")

_PLAIN = "plain"
_QUOTED = "quoted"
_COLLECTION = "collection"


class _Composer(_Parser):
    """Builds nodes whose tag says only how they were written; explicit tags come through as they are."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.depth = 0
        self.nodes = 0

    def resolve(self, kind: type[Node], value: object, implicit: Any) -> str:
        if kind is ScalarNode:
            return _PLAIN if implicit[0] else _QUOTED
        return _COLLECTION

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        # Composing recurses in C without any limit of its own: a megabyte of "[" would end the process.
        self.depth += 1
        self.nodes += 1
        if self.depth > MAX_DEPTH or self.nodes > MAX_NODES:
            too_deep = self.depth > MAX_DEPTH
            what = (
                f"is nested more than {MAX_DEPTH} deep" if too_deep else f"has more than {MAX_NODES} entries"
            )
            raise _TooMuchError(problem=what, problem_mark=parent.start_mark if parent else None)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _TooMuchError(yaml.MarkedYAMLError): ...


class Source:
    """The value of one YAML file, and the line that each part of it came from."""

    def __init__(self, path: Path, value: Value, root: Node) -> None:
        self.path = path
        self.value = value
        self._root = root

    def line(self, *where: Step) -> int:
        """The line, from 1, of the entry at these keys and indexes.

        Steps that the file does not have are passed over, so pydantic's locations, which name union members
        too, can be used as they are; a missing entry gives the line of what should hold it.
        """
        node, line = self._root, self._root.start_mark.line
        for step in where:
            if isinstance(node, MappingNode):
                for key, child in node.value:
                    if key.value == step:
                        node, line = child, key.start_mark.line
                        break
            elif isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
                node = node.value[step]
                line = node.start_mark.line
        return int(line) + 1

    def problem(self, where: tuple[Step, ...], message: str, fix: str = "") -> Problem:
        return Problem(self.path, self.line(*where), message, fix)


def read_source(path: Path) -> Source:
    """The plain data in the YAML file at `path`.

    Raises ReadError when it cannot be opened, is too big, is not UTF-8 or is more than plain data.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ReadError([Problem(path, 0, f"cannot be read: {error.strerror or error}")]) from error
    return parse_source(data, path)


def parse_source(data: bytes, path: Path) -> Source:
    """The plain data in `data`; `path` is only for the messages."""
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // 1024 // 1024} MiB"
        raise ReadError([Problem(path, 0, message, "split it into several lessons")])
    text = _decode(data, path)
    # A lesson is some ten thousand objects without a cycle among them: looking for cycles meanwhile costs a
    # third of the reading.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _parsed(text, path)
    finally:
        if collecting:
            gc.enable()


def _parsed(text: str, path: Path) -> Source:
    try:
        root: Node | None = _Composer(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise ReadError([Problem(path, line, _yaml_message(error), _yaml_fix(error))]) from error
    except yaml.YAMLError as error:
        reason = str(error).splitlines()[0]
        raise ReadError([Problem(path, 0, f"is not YAML: {reason}")]) from error
    if root is None:
        raise ReadError([Problem(path, 0, "is empty")])
    return Source(path, _Plain(path, text).value(root), root)


def _decode(data: bytes, path: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        fix = 'save it again with the encoding "UTF-8"'
        raise ReadError([Problem(path, line, "is not UTF-8 text", fix)]) from error
    return unicodedata.normalize("NFC", text)


def _yaml_message(error: yaml.MarkedYAMLError) -> str:
    if isinstance(error, _TooMuchError):
        return str(error.problem)
    return f"is not YAML: {error.problem or error}"


def _yaml_fix(error: yaml.MarkedYAMLError) -> str:
    problem = str(error.problem)
    if isinstance(error, _TooMuchError):
        return "check the brackets and the indentation, or split it into several lessons"
    if "mapping values are not allowed" in problem:
        return 'put quotes round a text that holds ": "'
    if "cannot start any token" in problem or "did not find expected" in problem:
        return "check the indentation, and put quotes round a text that begins with a special character"
    if "alias" in problem or "anchor" in problem:
        return "put quotes round a text that begins with * or &"
    return "check the indentation and the quotes on this line and the one before"


class _Plain:
    """Turns nodes into values and refuses everything that is not plain data."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.seen: set[int] = set()
        self.suspicious = _FORBIDDEN.search(text.replace("\r\n", "\n")) is not None
        """Whether any scalar may hold a forbidden character as it stands; escapes are looked at one by one."""

    def refuse(self, node: Node, message: str, fix: str) -> ReadError:
        return ReadError([Problem(self.path, node.start_mark.line + 1, message, fix)])

    def value(self, node: Node) -> Value:
        if id(node) in self.seen:
            raise self.refuse(node, "is used again through an alias (&name, *name)", "write it out each time")
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return self.scalar(node)
        if node.tag != _COLLECTION:
            raise self.refuse(node, f"has the tag {node.tag!r}", "write plain lists and keys without !tags")
        if isinstance(node, SequenceNode):
            return [self.value(child) for child in node.value]
        return self.mapping(node)

    def mapping(self, node: Node) -> dict[str, Value]:
        result: dict[str, Value] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode):
                raise self.refuse(key, "has a list or a mapping as a key", "use a plain word as the key")
            name = self.text(key)
            if name in result:
                raise self.refuse(key, f"has the key {name!r} twice", "keep one of the two")
            self.seen.add(id(key))
            result[name] = self.value(child)
        return result

    def text(self, node: ScalarNode) -> str:
        if node.tag not in (_PLAIN, _QUOTED):
            raise self.refuse(node, f"has the tag {node.tag!r}", "write plain text without !tags")
        if (self.suspicious or node.style == '"') and (found := _FORBIDDEN.search(node.value)):
            message = f"holds the invisible character U+{ord(found.group()):04X}"
            raise self.refuse(node, message, "delete it and type the text again")
        return str(node.value)

    def scalar(self, node: ScalarNode) -> Value:
        text = self.text(node)
        if node.tag == _QUOTED:
            # An escape such as "e\\u0301" makes a decomposed letter after the file was normalised.
            return text if text.isascii() else unicodedata.normalize("NFC", text)
        if not text or text[0] in _MAYBE_NOT_TEXT:
            if text in _WORDS:
                return _WORDS[text]
            if _INT.match(text):
                return int(text)
            if _FLOAT.match(text):
                return float(text)
        return text
