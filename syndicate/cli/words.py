"""A proof on the terminal: a letter's envelope, a post in full with its fold and its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from syndicate.cli.output import Output
from syndicate.model import Letter, Post

if TYPE_CHECKING:
    from syndicate.app import App
    from syndicate.editions.drafts import Proof

GMAIL_CLIPS_AT = 102_400


def show_proof(out: Output, app: App, proof: Proof) -> None:
    """One edition in words."""
    out.say()
    out.say(proof.edition.key, "bold cyan")
    if isinstance(proof.message, Letter):
        show_letter(out, proof.message)
    else:
        show_post(out, app, proof, proof.message)


def proof_document(app: App, proof: Proof) -> dict[str, Any]:
    """One edition in words, as JSON."""
    from syndicate.editions.drafts import network_rules
    from syndicate.render.fit import fold, measure

    message, key = proof.message, proof.edition.key
    if isinstance(message, Letter):
        size = len(message.html.encode())
        return {"edition": key, "subject": message.subject, "preheader": message.preheader, "html_bytes": size}
    rules = network_rules(app, proof.edition.channel)
    phone, desktop = fold(message.text, rules)
    return {
        "edition": key,
        "text": message.text,
        "then": list(message.then),
        "characters": measure(message.text, rules),
        "limit": rules.max_length,
        "above_fold": {"phone": phone, "desktop": desktop},
        "url": message.url,
        "card": {"title": message.title, "description": message.description, "picture": message.image is not None},
    }


def show_letter(out: Output, letter: Letter) -> None:
    """What a reader sees before opening, and how big it is."""
    size = len(letter.html.encode())
    rows = [
        ("Subject", letter.subject),
        ("Preheader", letter.preheader),
        ("From", f"{letter.sender.name} <{letter.sender.address}>"),
        ("HTML", f"{size:,} of the {GMAIL_CLIPS_AT:,} bytes at which Gmail clips"),
    ]
    out.columns(rows, indent=2, styles=["dim"])


def show_post(out: Output, app: App, proof: Proof, post: Post) -> None:
    """The exact text, a line where each screen folds it, the count, and the link card."""
    from syndicate.editions.drafts import network_rules
    from syndicate.render.fit import fold, measure

    rules = network_rules(app, proof.edition.channel)
    phone, desktop = fold(post.text, rules)
    marks = {len(desktop): "a desktop", len(phone): "a phone"}
    if len(phone) == len(desktop):
        marks = {len(phone): "a phone and a desktop"}
    start = 0
    for end in sorted(mark for mark in marks if 0 < mark < len(post.text)):
        block(out, post.text[start:end])
        out.say(f"  ┄┄┄ …more on {marks[end]} ┄┄┄", "yellow")
        start = end
    block(out, post.text[start:])
    limit = f" of {rules.max_length:,}" if rules.max_length else ""
    out.say(f"  {measure(post.text, rules):,}{limit} characters as the network counts", "dim")
    for number, text in enumerate(post.then, start=2):
        block(out, text)
        count = f"{measure(text, rules):,}{limit} characters"
        out.say(f"  {count}, post {number} of the thread of {len(post.texts)}", "dim")
    picture = f"picture, {len(post.image.data):,} bytes" if post.image else "without picture"
    out.say(f"  card: {post.title} · {post.url} · {picture}", "dim")


def block(out: Output, text: str) -> None:
    """Text with a margin line."""
    for line in text.strip("\n").split("\n"):
        out.say(f"  │ {line}")
