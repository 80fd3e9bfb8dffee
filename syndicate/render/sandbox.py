"""The Jinja2 environment of the templates: strict, fenced in, and with errors that can be turned into advice."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateNotFound
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from syndicate.render.fit import shorten

#: Rounds of `range`, and characters of one product or of one rendered template: far above any mail, far below harm.
MOST_ROUNDS = 1_000
MOST_CHARACTERS = 2_000_000


class UnknownName(UndefinedError):
    """A template used a name that does not exist."""

    def __init__(self, name: str, owner: object) -> None:
        super().__init__(f"{name!r} is not known")
        self.name = name
        #: what was asked for the name; None: the template's variables
        self.owner = owner


class Unknown(StrictUndefined):
    """An undefined value that remembers what was asked of what."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: object, **__: object) -> Any:
        if self._undefined_name is None:  # such as `first` of nothing, which has no name
            raise UndefinedError(self._undefined_message)
        owner = self._undefined_obj
        raise UnknownName(str(self._undefined_name), owner if _is_something(owner) else None)

    # StrictUndefined binds each operator to its own method when the class is made: they are bound to ours here.
    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = __rmod__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __call__ = __getitem__ = _fail_with_undefined_error
    __int__ = __float__ = __neg__ = __pos__ = _fail_with_undefined_error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._fail_with_undefined_error()


def _is_something(owner: object) -> bool:
    from jinja2.utils import missing

    return owner is not missing and owner is not None


class Sandbox(ImmutableSandboxedEnvironment):
    """No private names, no changes to values, no products that fill the memory."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuses what would be too large before it is made."""
        if operator == "**":
            raise SecurityError("powers are not needed in a letter")
        if operator == "*" and _length(left) * _length(right) > MOST_CHARACTERS:
            raise SecurityError("this product is too long")
        if operator == "%" and isinstance(left, str) and re.search(r"%[^a-zA-Z%]*(\d{4,}|\*)", left):
            raise SecurityError("this field is too wide")
        return super().call_binop(context, operator, left, right)


def _length(value: Any) -> int:
    return value if isinstance(value, int) else len(value) if isinstance(value, str | list | tuple) else 1


class Folder(FileSystemLoader):
    """Templates of one folder, and nothing outside it: a symbolic link that leads out is not followed."""

    def get_source(self, environment: Any, template: str) -> tuple[str, str, Callable[[], bool]]:
        """As the base class; raises `TemplateNotFound` for a file that lies elsewhere."""
        source, filename, uptodate = super().get_source(environment, template)
        if not Path(filename).resolve().is_relative_to(Path(self.searchpath[0]).resolve()):
            raise TemplateNotFound(template)
        return source, filename, uptodate


def environment(folders: list[Path]) -> Sandbox:
    """The environment over these folders, the first of which wins."""
    env = Sandbox(
        loader=ChoiceLoader([Folder(folder) for folder in folders]),
        undefined=Unknown,
        autoescape=lambda name: name is not None and name.endswith((".mjml.j2", ".html.j2")),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        optimized=False,  # folding constants takes longer than the few renderings of a template save
    )
    env.filters |= {"shorten": shorten, "wrap": wrap, "typographic": typographic}
    for unbounded in ("center", "format", "indent", "pprint"):  # their width is not bounded
        del env.filters[unbounded]
    env.globals = {"range": _range}
    return env


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MOST_ROUNDS:
        raise SecurityError(f"a range has at most {MOST_ROUNDS} numbers")
    return numbers


def wrap(text: str, width: int = 72, indent: str = "") -> str:
    """Filter: paragraphs in lines of at most `width` columns (RFC 5322 §2.1.1 asks for 78); URLs stay whole."""
    return "\n".join(
        textwrap.fill(
            line, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    )


def typographic(text: str) -> str:
    """Filter: the apostrophe inside a word as printers set it."""
    curled = re.sub(r"(?<=\w)'(?=\w)", "’", text)
    return Markup(curled) if isinstance(text, Markup) else curled
