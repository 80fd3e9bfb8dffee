"""A finished HTML mail as a browser would see it, as far as `lint.py` needs it: elements, texts, colours, sizes.

Only inline styles and the rules for dark mode are read; the engine writes every other style inline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_DARK = re.compile(r"@media\s*\(prefers-color-scheme:\s*dark\)\s*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = re.compile(r"#(?:[0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Element:
    """A start tag."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None
    #: 1-based
    line: int

    @property
    def classes(self) -> set[str]:
        """Names in `class`."""
        return set(self.attributes.get("class", "").split())

    @property
    def style(self) -> dict[str, str]:
        """Inline declarations; of two with the same name the last counts."""
        return declarations(self.attributes.get("style", ""))

    def ancestors(self) -> Iterator[Element]:
        """The element itself, then its parents."""
        node: Element | None = self
        while node is not None:
            yield node
            node = node.parent


@dataclass(frozen=True, slots=True)
class Text:
    """A run of text and the element around it."""

    text: str
    element: Element


@dataclass(slots=True)
class Page:
    """The document in order."""

    elements: list[Element] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    #: content of all style blocks
    css: str = ""
    title: str = ""

    def dark_rules(self) -> list[tuple[str, dict[str, str]]]:
        """(selector, declarations) of the rules for dark mode."""
        rules = (rule for block in _DARK.findall(self.css) for rule in _RULE.findall(block))
        return [(each.strip(), declarations(body)) for names, body in rules for each in names.split(",")]

    def words(self, element: Element) -> str:
        """All text inside an element, and the alternative texts of its images."""
        inside = [text.text for text in self.texts if element in text.element.ancestors()]
        inside += [
            each.attributes.get("alt", "")
            for each in self.elements
            if each.tag == "img" and element in each.ancestors()
        ]
        return " ".join(" ".join(inside).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent = self.open[-1] if self.open else None
        element = Element(tag, {name: value or "" for name, value in attrs}, parent, self.getpos()[0])
        self.page.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(element.tag == tag for element in self.open):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        inside = self.open[-1].tag if self.open else ""
        if inside == "style":
            self.page.css += data
        elif inside == "title":
            self.page.title += data
        elif data.strip():
            self.page.texts.append(Text(data, self.open[-1]))


def read(html: str) -> Page:
    """The page; conditional comments for Outlook are comments."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.page


def declarations(style: str) -> dict[str, str]:
    """`color:#fff;margin:0` as a mapping, without `!important`."""
    pairs = (part.partition(":") for part in style.split(";") if ":" in part)
    return {name.strip().lower(): value.replace("!important", "").strip() for name, _, value in pairs}


def matches(selector: str, element: Element) -> bool:
    """Whether `selector` (tags, classes, descendants, children) selects the element."""
    *rest, last = selector.replace(">", " > ").split() or [""]
    if not _simple(last, element):
        return False
    if not rest:
        return True
    parents = list(element.ancestors())[1:]
    if rest[-1] == ">":
        return bool(parents) and matches(" ".join(rest[:-1]), parents[0])
    return any(matches(" ".join(rest), parent) for parent in parents)


def _simple(selector: str, element: Element) -> bool:
    if not re.fullmatch(r"[\w-]*(?:\.[\w-]+)*", selector) or not selector:
        return False
    tag, *classes = selector.split(".")
    return tag in ("", element.tag) and set(classes) <= element.classes


def computed(element: Element, names: tuple[str, ...], rules: list[tuple[str, dict[str, str]]]) -> str:
    """The value of the first of the properties `names` that the element or one around it has; empty if none has.

    On one element the last of `rules` wins over what stands inline: they are `!important`.
    """
    for node in element.ancestors():
        styles = [style for selector, style in reversed(rules) if matches(selector, node)]
        for style in (*styles, node.style):
            for name in names:
                if name in style:
                    return style[name]
    return ""


def luminance(colour: str) -> float | None:
    """Relative luminance (WCAG 2.2) of a hexadecimal colour; None for anything else."""
    if not _COLOUR.fullmatch(colour):
        return None
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    channels = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float | None:
    """WCAG 2.2 contrast ratio, 1 to 21; None if a colour is not hexadecimal."""
    light, dark = luminance(one), luminance(other)
    if light is None or dark is None:
        return None
    light, dark = max(light, dark), min(light, dark)
    return (light + 0.05) / (dark + 0.05)
