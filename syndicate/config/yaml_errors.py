"""What the YAML parser objects to, in words that say what to do."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from syndicate.model import Problem

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

QUOTES = "Put the value in quotes."
MEND = "Put the value in quotes, or mend the indentation."
REFERENCE = "Close it; a value with braces, such as a reference, needs quotes."
#: (in the parser's problem or context, our message, our hint), first match; the parser's texts are a part of its API in
#: practice: they have not changed in ten years.
_WORDS = (
    ("found character '\\t'", "a tab cannot stand here", "Indent with spaces."),
    ("that cannot start any token", "a value without quotes cannot start with {character}", QUOTES),
    ("mapping values are not allowed", "a colon where none can be", MEND),
    ("escape", "a backslash within double quotes starts an escape that does not exist", "Write it twice: \\\\."),
    ("while scanning a quoted scalar", "the quote is not closed", "Write the closing quote."),
    ("while parsing a flow mapping", "{{ … }} is not closed, or lacks a comma", REFERENCE),
    ("while parsing a flow sequence", "[ … ] is not closed, or lacks a comma", "Close it, or write the comma."),
    ("could not find expected ':'", "a key without its colon", "Write `key: value`, with a blank after the colon."),
    ("expected <block end>", "the indentation does not fit the lines above", "Indent keys of one level alike."),
    ("found undefined alias", "no anchor of this name stands before the alias", QUOTES),
    ("expected a single document", "a second document starts here", "Remove the line `---`."),
    ("while scanning a block scalar", "a text after | or > has to start on its own line, indented", ""),
    ("while parsing a block", "the line fits neither a key nor a list", "Write `key: value`, or `- element`."),
)


def compose(text: str, shown: str) -> Node | Problem | None:
    """The node tree of a text, None for an empty one, or why there is none."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a reused anchor is legal YAML (§3.2.2.2) and takes the newer value
            node: Node | None = YAML(typ="safe", pure=True).compose(text)
            return node
    except ReaderError as error:
        return forbidden(text, error.position, shown)
    except MarkedYAMLError as error:
        return marked(error, text, shown)
    except RecursionError:
        return problem(shown, "the values are nested too deep")
    except (YAMLError, ValueError, LookupError, AssertionError, AttributeError, TypeError) as error:
        # The parser answers some broken directives and escapes with whatever broke inside it.
        return problem(
            shown, f"this is not YAML ({str(error).splitlines()[0] if str(error) else type(error).__name__})"
        )


def marked(error: Any, text: str, shown: str) -> Problem:
    """An error of the parser that knows its place."""
    mark = error.problem_mark or error.context_mark
    said = f"{error.problem or ''} {error.context or ''}"
    opened = error.context_mark if "flow" in said or "quoted" in said else None
    if opened and mark and opened.line < mark.line:
        mark = opened  # the parser noticed lines later; what the author looks for is what was opened
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    for part, message, hint in _WORDS:
        if part in said:
            character = repr(text[mark.index : mark.index + 1]) if mark else "this"
            return problem(shown, message.format(character=character), line, column, hint)
    return problem(shown, f"this is not YAML: {said.strip()}", line, column)


def forbidden(text: str, index: int, shown: str) -> Problem:
    """A control character."""
    before = text[:index]
    line, column = before.count("\n") + 1, index - before.rfind("\n")
    return problem(shown, f"the character U+{ord(text[index]):04X} cannot stand in YAML", line, column, "Remove it.")


def problem(shown: str, message: str, line: int = 0, column: int = 0, hint: str = "") -> Problem:
    """A problem of the notation."""
    return Problem(shown, message, line=line, column=column, hint=hint, code="config.yaml")
