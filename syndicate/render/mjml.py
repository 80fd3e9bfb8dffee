"""MJML -> HTML through mjml-python, after a pass that mends what it silently drops or misrenders.

Each rule below stands for a measured fault of mjml-python 1.4 (mrml 6): it reports no line, prints attribute values
with Rust's debug escapes, drops blank text that starts with a line end, refuses blanks between tags of the head, and
reads a `0` without unit as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from syndicate.errors import RenderError

#: Elements whose content is text or HTML: blanks mean something there.
_CONTENT = {
    "mj-text",
    "mj-button",
    "mj-table",
    "mj-raw",
    "mj-title",
    "mj-preview",
    "mj-social-element",
    "mj-navbar-link",
}
#: What mjml-python refuses, ignores or misrenders without a word, and what to write instead.
_AVOID = {
    "mj-include": "use Jinja's include",
    "mj-hero": "use mj-section with a background",
    "mj-carousel": "use an mj-image",
    "mj-html-attributes": "write the attributes where they belong",
    "mj-preview": "its white text costs spam score; set `preheader` instead",
}
#: Tags inside tags: the recursive parser overflows the C stack and kills the process from about 200 in a thread.
_DEEPEST = 100
_TOKEN = re.compile(
    r"""(?P<comment><!--.*?-->)|(?P<verbatim><(?P<kind>mj-style|style)\b[^>]*>.*?</(?P=kind)\s*>)"""
    r"""|(?P<tag></?[A-Za-z][^\s/>]*(?:"[^"]*"|'[^']*'|[^'">])*>)|(?P<text>[^<]+|<)""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=/>"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+)))?""")
# Behind an unquoted value a slash belongs to the value, as in HTML.
_CLOSED = re.compile(r"""(?:[\s"']|^<[\w-]+)/>$""")
_VOID = {"br", "hr", "img", "wbr", "meta", "link", "col", "mj-divider", "mj-spacer"}


def to_html(source: str, name: str) -> str:
    """The HTML of an MJML document; `name` is its template, for messages.

    Raises `RenderError` with the line of the MJML where it is known (it is the rendered MJML that is counted).
    """
    from mjml import mjml2html

    ready = "".join(_mended(source.replace("\r\n", "\n").replace("\r", "\n"), name))
    try:
        html: str = mjml2html(ready, disable_comments=True, fonts={})
    except ValueError as error:
        raise RenderError(f"template {name}{_line(ready, str(error))}: MJML: {error}") from None
    return html


def _line(source: str, message: str) -> str:
    """` at line N of the MJML: …`, from the byte offset in the engine's message; empty without one."""
    found = re.search(r"position (\d+):", message)
    if not found:
        return ""
    before = source.encode()[: int(found[1])].decode(errors="ignore")
    return f" at line {before.count(chr(10)) + 1} of the MJML"


def _mended(source: str, name: str) -> Iterator[str]:
    """The document, token by token, as the engine understands it."""
    stack: list[str] = []
    for found in _TOKEN.finditer(source):
        inside = any(tag in _CONTENT for tag in stack)
        if found["tag"]:
            line = source.count("\n", 0, found.start()) + 1
            _follow(stack, found["tag"], f"template {name}: MJML line {line}")
            yield _tag(found["tag"])
        elif found["text"]:
            yield _text(found["text"], inside, "pre" in stack)
        elif found["verbatim"] or inside:  # a comment counts only where it may be for Outlook
            yield found[0]


def _follow(stack: list[str], tag: str, where: str) -> None:
    """Keeps the open elements. Raises `RenderError` for tags that do not match, which the engine would not notice."""
    word = re.match(r"</?([^\s/>]+)", tag)
    element = word[1].lower() if word else ""
    if element in _AVOID:
        raise RenderError(f"{where}: {element} does not render reliably: {_AVOID[element]}")
    if tag.startswith("</"):
        if not stack or stack.pop() != element:
            raise RenderError(f"{where}: {tag} closes what was not opened")
    elif not _CLOSED.search(tag) and element not in _VOID:
        stack.append(element)
        if len(stack) > _DEEPEST:
            raise RenderError(f"{where}: more than {_DEEPEST} tags inside one another")


def _text(text: str, inside: bool, preformatted: bool) -> str:
    """Blank text is dropped by the engine if it starts with a line end, and refused in the head if it does not."""
    if text.strip():
        return text
    if not inside:
        return "\n"
    return text.replace("\n", "&#10;") if preformatted else " "


def _tag(tag: str) -> str:
    """A tag in lower case with quoted ASCII attributes; of two with the same name the first counts, as in HTML."""
    head = re.match(r"</?[^\s/>]+", tag)
    if head is None or tag.startswith("</"):
        return tag.lower()
    attributes: dict[str, str] = {}
    body = tag[head.end() :].removesuffix(">")
    for name, double, single, bare in _ATTRIBUTE.findall(body):
        attributes.setdefault(name.lower(), _value(name.lower(), double or single or bare))
    written = "".join(f' {name}="{value}"' for name, value in attributes.items())
    element = head[0].lower()
    return f"{element}{written}{' /' if _CLOSED.search(tag) or element[1:] in _VOID else ''}>"


def _value(name: str, value: str) -> str:
    """An attribute's value in printable ASCII: the engine writes anything else as a Rust escape (`\\u{a0}`)."""
    value = " ".join(value.split(" ")) if value.isprintable() else re.sub(r"[ \t\r\n\f]+", " ", value).strip()
    if "padding" in name:
        value = re.sub(r"(?<![\w.])0(?![\w.%])", "0px", value)
    return "".join(each if " " <= each <= "~" and each not in '"\\<' else f"&#{ord(each)};" for each in value)
