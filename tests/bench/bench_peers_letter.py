"""The letter that the peers send: a finished digest of ten articles with slots for name, address and tokens.

    python tests/bench/bench_peers_letter.py HTML TEXT     writes the templates

The marks are `{{ name }}`, which Jinja2, Handlebars and Django all understand.
"""

import sys
from pathlib import Path

ARTICLES = 10
SENTENCE = "In the rapidly evolving landscape of machine learning, a field with a name of its own has come to be. "
CELL = (
    '<td style="font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:24px;color:#1f2933;padding:0 24px">'
)


def html() -> str:
    """About 30 KB: headings, three links to each article with a token of the reader, a footer."""
    parts = [
        f'<table role="presentation" width="100%"><tr>{CELL}<h2>'
        f'<a href="https://example.com/a{number}?t={{{{ token }}}}">'
        f"Article {number} about a thing</a></h2><p>{SENTENCE * 25}</p>"
        f'<p><a href="https://example.com/a{number}?t={{{{ token }}}}">Read on</a> '
        f'<a href="https://example.com/a{number}/share?t={{{{ token }}}}">Share</a></p></td></tr></table>'
        for number in range(ARTICLES)
    ]
    foot = '<p>{{ name }} ({{ email }}) <a href="https://example.com/u/{{ token }}">Unsubscribe</a></p>'
    return f"<!doctype html><html><body><p>Dear {{{{ name }}}},</p>{''.join(parts)}{foot}</body></html>"


def text() -> str:
    """The same in words."""
    parts = [
        f"Article {number} about a thing\n{SENTENCE}\nhttps://example.com/a{number}?t={{{{ token }}}}\n"
        for number in range(ARTICLES)
    ]
    foot = "{{ name }} ({{ email }})\nUnsubscribe: https://example.com/u/{{ token }}\n"
    return f"Dear {{{{ name }}}},\n\n{chr(10).join(parts)}\n{foot}"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(html(), "utf-8")
    Path(sys.argv[2]).write_text(text(), "utf-8")
