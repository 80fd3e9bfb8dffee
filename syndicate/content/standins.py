"""What site generators put into Markdown that means nothing in an e-mail, and what is shown in its place.

A quarter of the articles of other sites hold shortcodes, Liquid, JSX or wiki links. None is run, none is printed raw,
and nothing inside code is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import quote

_FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")
_CODE_SPAN = re.compile(r"(`+)(?:(?!\1).)+?\1(?!`)")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_WORD = re.compile(r"""(?:"([^"]*)"|'([^']*)'|([^\s"'=]+))(?=\s|$)""")
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp)$", re.IGNORECASE)
_PLAYERS = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "gist": "https://gist.github.com/{}",
    "codepen": "https://codepen.io/{}",
    "tweet": "https://twitter.com/i/status/{}",
}
_Rule = tuple[re.Pattern[str], "str | Callable[[re.Match[str]], str]"]


def replaced(markdown: str) -> str:
    """The text with readable stand-ins."""
    return "\n".join(_outside_code(_without_modules(markdown.split("\n"))))


def _outside_code(lines: Iterable[str]) -> Iterable[str]:
    fence = ""
    for line in lines:
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line[found.end() :].strip():
                fence = ""
            yield line
        elif found:
            fence = found[1]
            yield line
        elif (changed := _line(line)) is not None:
            yield changed


def _line(line: str) -> str | None:
    """A line of prose; None where nothing of it is left."""
    if not _INTERESTING.search(line):
        return line
    parts, start = [], 0
    for code in _CODE_SPAN.finditer(line):
        parts += [_prose(line[start : code.start()]), code[0]]
        start = code.end()
    changed = "".join([*parts, _prose(line[start:])])
    return changed if changed.strip() or not line.strip() else None


def _prose(text: str) -> str:
    for pattern, stand_in in _RULES:
        text = pattern.sub(stand_in, text)
    return text


def _without_modules(lines: list[str]) -> Iterable[str]:
    """MDX: `import x from 'y'` and `export const x = …` at the start of the text and after blank lines."""
    after_blank = True
    for line in lines:
        if after_blank and _MODULE.match(line):
            continue
        after_blank = not line.strip()
        yield line


def _attributes(text: str) -> dict[str, str]:
    return {name.lower(): double or single for name, double, single in _ATTRIBUTE.findall(text)}


def _words(text: str) -> list[str]:
    return [double or single or bare for double, single, bare in _WORD.findall(text)]


def _call(found: re.Match[str]) -> str:
    """A shortcode or Liquid tag: its address, its picture, its player, or nothing."""
    name, arguments = found["name"].lower(), found["arguments"] or ""
    named, words = _attributes(arguments), _words(_ATTRIBUTE.sub("", arguments))
    source = named.get("src") or named.get("link") or named.get("url") or next(iter(words), "")
    if name in _PLAYERS and (key := named.get("id") or source):
        return f"<{key}>" if key.startswith("http") else f"<{_PLAYERS[name].format(quote(key))}>"
    if _PICTURE.search(source):
        alt = named.get("alt") or named.get("caption") or next(iter(words[1:]), "")
        return f"![{_plain(alt)}]({quote(source, safe='/:?&=%#.~+')})"
    return f"<{source}>" if re.match(r"https?://[^\s<>]+$", source) else ""


def _plain(text: str) -> str:
    return re.sub(r"[\[\]]", "", text)


def _wiki(found: re.Match[str]) -> str:
    """`[[Page#part|text]]`, and `![[file]]`."""
    target, _, text = found[2].partition("|")
    if found[1]:
        return f"![]({quote(target)})" if _PICTURE.search(target) else ""
    return (text or target.replace("#", " › ")).strip()


def _callout(found: re.Match[str]) -> str:
    """`> [!NOTE] Title`, of Obsidian and GitHub."""
    kind, title = found[2].capitalize(), found[3].strip()
    return f"{found[1]}**{kind}: {title}**" if title else f"{found[1]}**{kind}**"


def _container(found: re.Match[str]) -> str:
    """`:::note Title`, of Docusaurus; the closing `:::` goes."""
    kind, title = found[1].capitalize(), found[2].strip(" []{}")
    return f"**{kind}: {title}**" if kind and title else f"**{kind}**" if kind else ""


#: every length is bounded, so that a text of nothing but openings takes linear time
_ARGUMENTS = r"(?P<name>[\w/.-]{1,60})(?P<arguments>(?:\s[^}]{0,300}?)?)"
_MODULE = re.compile(
    r"(?:import\s+(?:[\w*{][^'\"]*\sfrom\s+)?['\"][^'\"]+['\"]|export\s+(?:const|default|function|let)\s)"
)
_INTERESTING = re.compile(r"\{[%{:/#]|\[\[|\[!|\[youtube|:::|<iframe", re.IGNORECASE)
_RULES: tuple[_Rule, ...] = (
    (re.compile(r"\{/\*.{0,300}?\*/\}"), ""),  # JSX comment
    (
        re.compile(r"\]\(\{\{[<%]\s*(?:rel)?ref\b[^}]{0,300}[>%]\}\}[^)]{0,300}\)"),
        "]",
    ),  # a link whose address only the site knows
    (re.compile(rf"\{{\{{[<%]\s{{0,9}}{_ARGUMENTS}\s{{0,9}}/?[>%]\}}\}}"), _call),  # Hugo
    (re.compile(rf"\{{%-?\s{{0,9}}{_ARGUMENTS}\s{{0,9}}-?%\}}"), _call),  # Liquid, Nunjucks
    (
        re.compile(r"\{\{-?\s*[A-Za-z_.$][\w.$]{0,100}(?:\s{0,9}\|[^}]{0,300})?\s{0,9}-?\}\}"),
        "",
    ),  # a variable, which only the site knows
    (re.compile(r"\{:[^{}\n]{0,300}\}|\{#[\w-]{1,100}\}"), ""),  # kramdown attributes, heading names
    (re.compile(r"\[youtube=(https?://[^\s\]]+)\]", re.IGNORECASE), r"<\1>"),  # WordPress
    (
        re.compile(
            r"<iframe\b[^>]{0,300}?\bsrc=[\"'](https?://[^\"'\s<>]{1,300})[\"'][^>]{0,300}>(?:\s{0,9}</iframe>)?",
            re.IGNORECASE,
        ),
        r"<\1>",
    ),
    (re.compile(r"(!?)\[\[([^\[\]\n]{1,200})\]\]"), _wiki),
    (re.compile(r"^((?:> ?)+)\[!(\w+)\][+-]?(.*)$"), _callout),
    (re.compile(r"^\s*:{3,}\s*(\w*)(.*)$"), _container),
)
