"""Templates: Jinja2 in a sandbox, and errors that say what to change.

A digest `NAME` is `NAME.mjml.j2` and `NAME.txt.j2`, a post `NAME.txt.j2`. The project's own folder wins over the
shipped one. What a template may use is listed at its top.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from syndicate.errors import RenderError
from syndicate.model import Problem

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.runtime import Context

    from syndicate.render.sandbox import Sandbox


class Templates:
    """The templates of a project."""

    def __init__(self, folder: Path, fallback: Path | None = None) -> None:
        """`folder` is the project's own; what is missing there is looked up in `fallback`."""
        self.folders = [folder, *([fallback] if fallback else [])]

    @cached_property
    def _env(self) -> Sandbox:
        from syndicate.render.sandbox import environment  # Jinja2 takes 90 ms to import

        return environment(self.folders)

    def path(self, file: str) -> str:
        """Where `file` lies; where it belongs if there is none."""
        found = (folder / file for folder in self.folders if (folder / file).is_file())
        return next(found, self.folders[0] / file).as_posix()

    def __contains__(self, file: str) -> bool:
        return any((folder / file).is_file() for folder in self.folders)

    def render(self, file: str, values: Mapping[str, object]) -> Rendered:
        """The template `file` over `values`. Raises `RenderError` that names template, line and article."""
        from jinja2 import TemplateError

        template = self._load(file)
        context = template.new_context(dict(values))
        try:
            text = _collect(file, template.root_render_func(context))
            blocks = {name: _collect(file, block(context)) for name, block in self._blocks(template).items()}
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            self._explain(error, file, {**context.parent, **context.vars})
        exported = {name: context.vars[name] for name in context.exported_vars}
        return Rendered(text, exported, blocks)

    def _blocks(self, template: Template) -> Mapping[str, Callable[[Context], Iterator[str]]]:
        """The blocks, its own in place of those of the template that it extends, in the order of that one."""
        from jinja2.nodes import Const, Extends

        env = self._env
        source = env.loader.get_source(env, str(template.name))[0] if env.loader else ""
        found = env.parse(source).find(Extends)
        base = found.template.value if found and isinstance(found.template, Const) else ""
        return {**self._blocks(env.get_template(base)), **template.blocks} if base else template.blocks

    def _load(self, file: str) -> Template:
        from jinja2 import TemplateError, TemplateNotFound

        try:
            return self._env.get_template(file)
        except TemplateNotFound:
            near = get_close_matches(file, self._env.list_templates(), n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Write {self.folders[0] / file}."
            raise RenderError(f"there is no template {file}", hint=hint) from None
        except TemplateError as error:
            self._explain(error, file, {})
        except UnicodeDecodeError as error:
            raise RenderError(f"template {file} is not UTF-8: {error.reason} at byte {error.start}") from None

    def _explain(self, error: Exception, file: str, known: Mapping[str, object]) -> NoReturn:
        """Turns an error of Jinja2, or of an expression in a template, into a `RenderError`."""
        name, line, local = _place(self.folders) or (getattr(error, "name", None) or file, 0, {})
        line = getattr(error, "lineno", None) or line
        sentence = self._advice(error, name, line, {**known, **local})
        about = getattr(local.get("article", known.get("article")), "path", "")
        where = f"template {name}:{line}" if line else f"template {name}"
        if about:
            sentence += f" (article {about})"
        problem = Problem(path=self.path(name), line=line, message=sentence, code="render.template")
        raise RenderError(f"{where}: {sentence}", problems=[problem]) from None

    def _advice(self, error: Exception, file: str, line: int, known: Mapping[str, object]) -> str:
        from syndicate.render.sandbox import UnknownName

        if not isinstance(error, UnknownName):
            return str(error)
        written = self._written(file, line, error.name)
        candidates = list(known) if error.owner is None else _names(error.owner)
        near = get_close_matches(error.name, candidates, n=1)
        prefix = written[: -len(error.name)]
        return f"{written!r} is not known" + (f"; did you mean '{prefix}{near[0]}'?" if near else "")

    def _written(self, file: str, line: int, name: str) -> str:
        """The expression that ends in `name`, as the template's author wrote it."""
        source = self._env.loader.get_source(self._env, file)[0] if self._env.loader and line else ""
        text = source.splitlines()[line - 1] if line and line <= len(source.splitlines()) else ""
        found = re.search(rf"(?:\w+\.)*\b{re.escape(name)}\b", text)
        return found[0] if found else name


class Rendered:
    """What a template made: its text, the variables it set, and its blocks by name, in the order of the file."""

    def __init__(self, text: str, variables: Mapping[str, Any], blocks: Mapping[str, str]) -> None:
        self.text = text
        self.variables = variables
        self.blocks = blocks

    def line(self, name: str, default: str = "") -> str:
        """A variable that the template set, as one line of plain text."""
        return " ".join(str(self.variables.get(name, default)).split())


def _collect(file: str, pieces: Iterator[str]) -> str:
    """The rendered text, as long as it stays within bounds."""
    from syndicate.render.sandbox import MOST_CHARACTERS

    out, size = [], 0
    for piece in pieces:
        out.append(piece)
        size += len(piece)
        if size > MOST_CHARACTERS:
            raise RenderError(
                f"template {file} writes more than {MOST_CHARACTERS:,} characters: does a loop never end?"
            )
    return "".join(out)


def _place(folders: list[Path]) -> tuple[str, int, Mapping[str, object]] | None:
    """(template, line, its variables) of the innermost frame that lies in a template."""
    from jinja2.debug import rewrite_traceback_stack

    trace: TracebackType | None = rewrite_traceback_stack().__traceback__  # of the exception being handled
    found = None
    while trace is not None:
        for folder in folders:
            path = Path(trace.tb_frame.f_code.co_filename)
            if path.suffix == ".j2" and path.is_relative_to(folder):
                found = (path.relative_to(folder).as_posix(), trace.tb_lineno, trace.tb_frame.f_locals)
        trace = trace.tb_next
    return found


def _names(owner: object) -> list[str]:
    """What a template may ask `owner` for."""
    if is_dataclass(owner):
        return [field.name for field in fields(owner)]
    return [str(key) for key in owner] if isinstance(owner, Mapping) else []
