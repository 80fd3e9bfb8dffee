"""YAML -> plain values, with the line and column of every key and value, and every slip of the notation.

Own code on top of the parser's node tree because its constructors either forget positions or turn `017` and `no` into
something that nobody wrote. A plain scalar becomes a number or a truth value only where writing it back gives the same
text; all else stays text, and the schema decides what it means.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from syndicate.model import Problem, Severity

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

KeyPath: TypeAlias = tuple[str, ...]
Position: TypeAlias = tuple[int, int]

LARGEST = 400_000  # characters; a configuration of a thousand channels has fewer
MOST_VALUES = 50_000  # counted after aliases were followed, so that ten lines cannot become a billion values
DEEPEST = 32
START: Position = (1, 1)
_CORE = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, and where it says it."""

    #: the file, as messages name it
    shown: str
    #: mappings, lists, text, numbers, truth values and None
    data: dict[str, Any] = field(default_factory=dict)
    #: path -> place of the key; a list's elements are named `0`, `1`, …
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    #: path -> place of the value
    values: dict[KeyPath, Position] = field(default_factory=dict)
    #: what cannot be read; `data` holds the rest
    problems: tuple[Problem, ...] = ()

    def position(self, path: KeyPath) -> Position:
        """1-based line and column of a value, or of the nearest key above it that the file has."""
        if path in self.values:
            return self.values[path]
        while path and path not in self.keys:
            path = path[:-1]
        return self.keys.get(path, START)

    def key_position(self, path: KeyPath) -> Position:
        """The same of a key."""
        return self.keys.get(path) or self.position(path)

    def problem(
        self,
        path: KeyPath,
        message: str,
        severity: Severity = Severity.ERROR,
        *,
        at_key: bool = False,
        hint: str = "",
        code: str = "config.value",
    ) -> Problem:
        """What is wrong with the value, or the key, at a path; the message starts with the path."""
        line, column = self.key_position(path) if at_key else self.position(path)
        text = f"{dotted(path)}: {message}" if path else message
        return Problem(self.shown, text, severity, line, column, hint, code)

    def raw(self, path: KeyPath) -> Any:
        """The value as the file has it; None where it has none."""
        found: Any = self.data
        for part in path:
            if isinstance(found, list) and part.isdecimal() and int(part) < len(found):
                found = found[int(part)]
            elif isinstance(found, dict):
                found = found.get(part)
            else:
                return None
        return found


def read(text: str, shown: str) -> Document:
    """Reads one YAML document, whatever `text` is. `shown` names the file in the problems."""
    from syndicate.config.yaml_errors import compose

    if len(text) > LARGEST:
        return Document(shown, problems=(Problem(shown, f"the file has more than {LARGEST:,} characters"),))
    node = compose(text, shown)
    if isinstance(node, Problem):
        return Document(shown, problems=(node,))
    reader = _Reader(shown)
    try:
        data = {} if node is None else reader.value(node, ())
    except _TooMuchError as error:
        reader.problems.clear()
        reader.complain("too many values, or nested too deep: does an alias contain itself?", error.args[0])
        return Document(shown, problems=tuple(reader.problems))
    if not isinstance(data, dict):
        reader.complain("the file has to consist of keys with values, such as `mode: rehearsal`", START)
        data = {}
    return Document(shown, data, reader.keys, reader.values, tuple(reader.problems))


class _TooMuchError(Exception):
    """The aliases of the file unfold into more than any configuration holds."""


class _Reader:
    """Walks the node tree once."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.keys: dict[KeyPath, Position] = {}
        self.values: dict[KeyPath, Position] = {}
        self.problems: list[Problem] = []
        self.seen = 0

    def complain(self, message: str, place: Position, hint: str = "") -> None:
        self.problems.append(
            Problem(self.shown, message, line=place[0], column=place[1], hint=hint, code="config.yaml")
        )

    def value(self, node: Any, path: KeyPath) -> Any:
        self.values[path] = position(node)
        self.seen += 1
        if self.seen > MOST_VALUES or len(path) > DEEPEST:
            raise _TooMuchError(self.values[path])
        if node.id == "mapping":
            return self.mapping(node, path)
        if node.id == "sequence":
            return [self.value(item, (*path, str(number))) for number, item in enumerate(node.value)]
        return self.scalar(node)

    def mapping(self, node: MappingNode, path: KeyPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            place = position(key)
            if key.id != "scalar" or key.tag == _CORE + "merge":
                self.complain("a key has to be one word", place, "`<<`, lists and mappings cannot be keys here.")
                continue
            name = self.text(key)
            if name in found:
                first = self.keys[(*path, name)][0]
                self.complain(f"{dotted((*path, name))}: the key stands twice, first in line {first}", place)
                continue
            self.keys[(*path, name)] = place
            found[name] = self.value(value, (*path, name))
            if found[name] is None and not value.value:
                self.values[(*path, name)] = place  # nothing stands there: the parser names the next line
        return found

    def scalar(self, node: ScalarNode) -> Any:
        if not str(node.tag).startswith(_CORE):
            self.complain(f"the tag {node.tag} means nothing here", position(node), "Remove it.")
        text = self.text(node)
        return text if node.style else plain(text)

    def text(self, node: ScalarNode) -> str:
        """The scalar's text, which can be stored and printed: escapes can write halves of characters that cannot."""
        text = str(node.value)
        if any("\ud800" <= character <= "\udfff" for character in text):
            self.complain("half of a character (\\ud800 to \\udfff) cannot be text", position(node))
            return text.encode("utf-8", "replace").decode()
        return text


def plain(text: str) -> Any:
    """What an unquoted scalar stands for: the number, truth value or None that is written exactly so, else the text."""
    if text in {"", "~", "null"}:
        return None
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            if str(kind(text)) == text and text not in {"nan", "inf", "-inf"}:
                return kind(text)
        except ValueError:
            continue
    return text


def position(node: Node) -> Position:
    """1-based line and column at which a node starts."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def dotted(path: KeyPath) -> str:
    """`channels.weekly.select`, `content.folders[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if part.isdecimal() else f".{part}" if text else part
    return text
