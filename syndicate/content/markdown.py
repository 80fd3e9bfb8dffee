"""Markdown -> safe HTML and plain text. Done for the few articles that were picked.

The HTML holds the tags and attributes of the lists below and nothing else; every address in it is absolute, and
http, https or mailto.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from syndicate.content import plaintext, standins
from syndicate.content.links import resolve
from syndicate.content.text import BIDI
from syndicate.model import Body

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_TAGS = {
    *("a", "abbr", "b", "br", "code", "del", "em", "i", "img", "ins", "kbd", "mark", "q", "s", "small", "strong"),
    *("sub", "sup", "u", "blockquote", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre"),
    *("dd", "dl", "dt", "li", "ol", "ul", "caption", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan"},
}
#: their content is no text
_UNSEEN = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "form", "title"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
#: an article with more is a table of links, or an attack
MAX_LINKS = 5000


def render(markdown: str, url: str, title: str) -> Body | str:
    """A body, or, where it cannot be rendered, why. `url`, the article's, makes relative addresses absolute.

    A first heading that repeats the title is left out. Raises nothing.
    """
    text = _CONTROL.sub("", BIDI.sub("", standins.replaced(markdown)))
    try:
        tokens = _parser().parse(text)
        if tokens and _is_title(tokens, title):
            tokens = tokens[3:]
        if sum(child.type == "link_open" for token in tokens for child in token.children or ()) > MAX_LINKS:
            return f"the text has more than {MAX_LINKS} links, and is not rendered"
        html = _parser().renderer.render(tokens, _parser().options, {})
        return Body(_clean(html, url), plaintext.render(tokens, lambda address: resolve(address, url)))
    except (RecursionError, ValueError, MemoryError) as error:
        return f"the text cannot be rendered: {type(error).__name__}"


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _is_title(tokens: list[Token], title: str) -> bool:
    return tokens[0].type == "heading_open" and tokens[1].content.strip().casefold() == title.casefold()


def _clean(html: str, url: str) -> str:
    import nh3

    def address(tag: str, name: str, value: str) -> str | None:
        if name in {"href", "src"}:
            found = resolve(value, url)
            return None if found and name == "src" and found.startswith("mailto:") else found
        return value

    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        clean_content_tags=_UNSEEN,
        attribute_filter=address,
        url_schemes={"http", "https", "mailto"},
        filter_style_properties={"text-align"},
        link_rel=None,
        strip_comments=True,
    ).strip()
