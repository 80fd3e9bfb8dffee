"""HTML from the templates in `pages/`, which are shipped with the package and are no business of a project's author."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse

from syndicate.web.words import catalogue

if TYPE_CHECKING:
    from jinja2 import Environment

    from syndicate.web.office import Desk

#: No script, no frame, nothing from elsewhere; a form goes back to where it came from.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@cache
def environment() -> Environment:
    """The templates of this package."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader(__package__, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def style() -> tuple[bytes, str]:
    """The stylesheet, and a name for this version of it."""
    data = (files(__package__) / "pages" / "style.css").read_bytes()
    return data, sha256(data).hexdigest()[:8]


@cache
def words(language: str) -> SimpleNamespace:
    """A catalogue as templates use it."""
    groups = catalogue(language)
    found = {name: SimpleNamespace(**group) if isinstance(group, dict) else group for name, group in groups.items()}
    return SimpleNamespace(**found)


def page(desk: Desk, language: str, name: str, /, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page `name` over `values`."""
    publication = desk.publication
    common = {
        "publication": publication,
        "contact": publication.reply_to or publication.sender.address,
        "prefix": desk.prefix,
        "language": language,
        "words": words(language),
        "style": style()[1],
        "say": lambda text: text.format(publication=publication.name),
    }
    html = environment().get_template(f"{name}.html.j2").render(common | values)
    headers = {
        "Content-Security-Policy": POLICY,
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
    }
    return HTMLResponse(html, status, headers)


def message(
    desk: Desk, language: str, about: str, *extra: str, status: int = 200, lists: object = (), **values: Any
) -> HTMLResponse:
    """A page that says one thing: the words of the group `about`, and those of its keys that are named."""
    shown = {"about": about, "extra": extra, "lists": lists, "again": False, "preferences": ""} | values
    return page(desk, language, "message", status=status, **shown)
