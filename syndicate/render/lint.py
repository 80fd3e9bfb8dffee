"""What mailbox providers and readers demand of a finished letter, checked on the letter itself.

Sources: Google's and Yahoo's sender guidelines, RFC 8058, WCAG 2.2 AA, and what Gmail, Outlook and Apple Mail are known
to drop. Each rule yields sentences; `lint` makes problems of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from urllib.parse import urlsplit

from syndicate.model import Letter, Problem, Severity
from syndicate.render import mime
from syndicate.render.page import Element, Page, computed, contrast, read

#: Bytes of all style blocks: Gmail drops what is longer.
LONGEST_STYLE = 8_192
LONGEST_HTML = 100_000
LONGEST_HIDDEN = 150
SMALLEST_TEXT = 14
LEAST_CONTRAST = 4.5
FORBIDDEN = frozenset({"script", "form", "input", "iframe", "object", "embed", "link", "base", "video", "audio", "svg"})
_VAGUE = re.compile(r"\s*(?:click here|here|read more|more|link|this)[\s.…]*", re.IGNORECASE)
_FILLER = re.compile("[\u200b\u034f\u00ad\u200c\u2060\ufeff]{2,}")
_LINE = 78


def lint(letter: Letter) -> list[Problem]:
    """Everything that is wrong with the letter's parts; empty if nothing is."""
    page = read(letter.html)
    return [
        Problem(path=letter.edition, message=message, severity=Severity.WARNING, code=f"lint.{code}")
        for code, rule in RULES.items()
        for message in dict.fromkeys(rule(page, letter))
    ]


def _text_part(_: Page, letter: Letter) -> Iterator[str]:
    if not letter.text.strip():
        yield "the text part is empty"
    if "text:unsubscribe" not in letter.slots:
        yield "the text part has no unsubscribe link"
    for number, line in enumerate(letter.text.splitlines(), 1):
        if len(line) > _LINE and " " in line.strip() and "://" not in line and "-end" not in line:
            yield f"line {number} of the text part is longer than {_LINE} characters"


def _size(_: Page, letter: Letter) -> Iterator[str]:
    used = mime.size(letter.html, len(letter.slots))
    if used > LONGEST_HTML:
        yield f"the HTML has {used:,} bytes; Gmail clips a mail at about 102,000"


def _hidden(page: Page, letter: Letter) -> Iterator[str]:
    hidden = "".join(
        text.text
        for text in page.texts
        if any(each.style.get("display") == "none" for each in text.element.ancestors())
    )
    if len(hidden) > LONGEST_HIDDEN:
        yield f"{len(hidden)} characters are hidden; more than {LONGEST_HIDDEN} look like spam"
    if _FILLER.search(letter.html):
        yield "invisible characters fill up the preview"


def _forbidden(page: Page, letter: Letter) -> Iterator[str]:
    yield from (f"<{each.tag}> does not work in mail" for each in page.elements if each.tag in FORBIDDEN)
    yield from (
        f"position: {each.style['position']} does not work in mail"
        for each in page.elements
        if "position" in each.style
    )
    if len(page.css.encode()) > LONGEST_STYLE:
        yield f"the style blocks have {len(page.css.encode()):,} bytes; Gmail drops what is over {LONGEST_STYLE:,}"
    if page.css.count("{") != page.css.count("}"):
        yield "a style block has an unclosed brace; Gmail drops the whole block"
    if "{{" in letter.html or "{{" in letter.text:
        yield "a “{{” is left in the mail"


def _language(page: Page, _: Letter) -> Iterator[str]:
    tops = [each for each in page.elements if each.tag == "html" or (each.parent and each.parent.tag == "body")]
    for each in tops[:2]:
        missing = [name for name in ("lang", "dir") if not each.attributes.get(name)]
        if missing:
            yield f"<{each.tag}> has no {' and no '.join(missing)}: screen readers need both"


def _title(page: Page, letter: Letter) -> Iterator[str]:
    if page.title != letter.subject:
        yield "<title> is not the subject"


def _tables(page: Page, _: Letter) -> Iterator[str]:
    if any(
        each.tag == "table" and each.attributes.get("role") not in {"presentation", "none"} for each in page.elements
    ):
        yield 'a layout table has no role="presentation": a screen reader reads out its rows and columns'


def _images(page: Page, _: Letter) -> Iterator[str]:
    for each in page.elements:
        if each.tag == "img" and "alt" not in each.attributes:
            yield f'the picture {each.attributes.get("src", "")} has no alt (alt="" if it only decorates)'


def _headings(page: Page, _: Letter) -> Iterator[str]:
    levels = [int(each.tag[1]) for each in page.elements if re.fullmatch("h[1-6]", each.tag)]
    if levels.count(1) != 1:
        yield f"there are {levels.count(1)} <h1>; there should be one"
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield "a heading skips a level"


def _links(page: Page, _: Letter) -> Iterator[str]:
    for each in page.elements:
        if each.tag == "a":
            words = page.words(each)
            if not words or _VAGUE.fullmatch(words):
                yield f"a link to {each.attributes.get('href', '')} does not say where it leads: “{words}”"
            yield from _target(each)


def _target(link: Element) -> Iterator[str]:
    href = link.attributes.get("href", "")
    if re.fullmatch(r"slot-[0-9a-f]{12}-unsubscribe--end", href):
        return
    parts = urlsplit(href)
    if parts.scheme != "https" or not parts.hostname:
        yield f"the link {href!r} is not an absolute https URL"
    if parts.username or parts.password:
        yield f"the link to {parts.hostname} holds credentials"


def _small(page: Page, _: Letter) -> Iterator[str]:
    for text in page.texts:
        size = re.match(r"([\d.]+)px", computed(text.element, ("font-size",), []))
        if size and float(size[1]) < SMALLEST_TEXT and text.text.strip("\xa0 \n"):
            yield f"“{text.text.strip()[:40]}” is smaller than {SMALLEST_TEXT} px"


def _dark(page: Page, _: Letter) -> Iterator[str]:
    metas = {each.attributes.get("name") for each in page.elements if each.tag == "meta"}
    for name in ("color-scheme", "supported-color-schemes"):
        if name not in metas:
            yield f'<meta name="{name}"> is missing: dark mode would guess the colours'
    if "prefers-color-scheme" not in page.css:
        yield "there are no styles for dark mode"
    if "[data-ogsc]" not in page.css:
        yield "there are no [data-ogsc] styles for dark mode in Outlook"


def _contrast(page: Page, _: Letter) -> Iterator[str]:
    for scheme, rules in (("light", []), ("dark", page.dark_rules())):
        for text in page.texts:
            ink = computed(text.element, ("color",), rules)
            ground = computed(text.element, ("background-color", "background"), rules)
            ratio = contrast(ink, ground)
            if ratio is not None and ratio < LEAST_CONTRAST and text.element.attributes.get("aria-hidden") != "true":
                said = text.text.strip()[:40]
                yield f"“{said}” has a contrast of {ratio:.1f} : 1 in {scheme} mode; {LEAST_CONTRAST} is needed"


#: Stable name -> rule.
RULES: Mapping[str, Callable[[Page, Letter], Iterator[str]]] = {
    "text": _text_part,
    "size": _size,
    "hidden": _hidden,
    "forbidden": _forbidden,
    "language": _language,
    "title": _title,
    "table": _tables,
    "alt": _images,
    "heading": _headings,
    "link": _links,
    "small": _small,
    "dark": _dark,
    "contrast": _contrast,
}
