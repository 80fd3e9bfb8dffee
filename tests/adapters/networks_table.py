"""The table of networks in README.md, made from what the adapters declare.

`python -m tests.adapters.networks_table` writes it anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from syndicate import adapters
from syndicate.adapters.base import Adapter
from syndicate.adapters.batch import Provider
from syndicate.model import Dedupe

README = Path(__file__).parent.parent.parent / "README.md"
BEGIN = "<!-- networks: made by python -m tests.adapters.networks_table -->"
END = "<!-- /networks -->"


@dataclass(frozen=True)
class Verified:
    """Against what an adapter is tested, beside the contract suite and the list of faults that all of them pass."""

    what: str
    #: `file:test` below tests/adapters, without `test_` in front of either; each has to be there
    proof: tuple[str, ...]


VERIFIED = {
    "apprise": Verified(
        "Apprise itself, sending to a service of its `json://` kind",
        ("apprise:a_no_is_sorted_by_the_status_in_the_log", "apprise:a_yes_is_labelled_as_one_without_an_id"),
    ),
    "bluesky": Verified(
        "atproto: its models take our records, its text builder makes the same facets; answers of the server's source",
        ("bluesky:the_librarys_models_take_the_record", "bluesky:facets_are_those_of_the_librarys_text_builder"),
    ),
    "brevo": Verified(
        "the request on its API page; recorded and documented answers",
        ("brevo:the_request_is_what_the_api_page_shows", "brevo:recorded_answers"),
    ),
    "discord": Verified("a recorded answer; the others as they are known, not recorded", ("discord:recorded_answers",)),
    "file": Verified("the disk; Chromium shows the page", ("file:a_browser_shows_the_letter_and_runs_nothing_in_it",)),
    "linkedin": Verified(
        "the request on its API page; recorded answers",
        ("linkedin:the_request_is_what_the_api_page_shows", "linkedin:recorded_answers"),
    ),
    "mailgun": Verified("recorded and documented answers", ("mailgun:recorded_answers",)),
    "mastodon": Verified(
        "Mastodon.py, which asks for the same post; documented answers",
        ("mastodon:mastodon_py_asks_for_the_same_post", "mastodon:documented_answers"),
    ),
    "postmark": Verified(
        "the request on its API page; recorded and documented answers",
        ("postmark:the_request_is_what_the_api_page_shows", "postmark:recorded_answers"),
    ),
    "resend": Verified(
        "the request on its API page; documented answers",
        ("resend:the_request_is_what_the_api_page_shows", "resend:documented_answers"),
    ),
    "sendgrid": Verified(
        "the request on its API page; documented answers",
        ("sendgrid:the_request_is_what_the_api_page_shows", "sendgrid:documented_answers"),
    ),
    "ses": Verified(
        "botocore: the same request and the same signature; documented answers",
        ("ses:botocore_would_send_the_same", "sigv4:the_signature_is_botocores", "ses:documented_answers"),
    ),
    "slack": Verified(
        "a recorded answer; the others as they are known, not recorded", ("slack:answers_by_the_name_of_the_error",)
    ),
    "smtp": Verified(
        "aiosmtpd, which gets the very bytes; dkimpy, which verifies the signatures",
        ("smtp:aiosmtpd_gets_the_very_bytes", "dkim:a_digest_verifies"),
    ),
    "telegram": Verified("answers as they are known, none recorded", ("telegram:recorded_answers",)),
    "threads": Verified("answers in their documented form, none recorded", ("threads:answers_by_their_code",)),
    "webhook": Verified("the example of Standard Webhooks", ("webhook:the_signature_is_that_of_the_specification",)),
    "x": Verified(
        "the request on its API page; recorded answers",
        ("x:the_request_is_what_the_api_page_shows", "x:recorded_answers"),
    ),
}
CARRIES = {
    "email": "mail",
    "post": "posts",
    "image": "pictures",
    "thread": "threads",
    "comment": "a first comment",
}
UNITS = {"utf16": "UTF-16 units", "codepoint": "characters", "grapheme": "graphemes", "weighted": "weighted characters"}


def table() -> str:
    """The whole block, markers included."""
    head = "| network | carries | how silence is resolved | verified against |\n|---|---|---|---|\n"
    return f"{BEGIN}\n{head}{''.join(map(row, sorted(adapters.BUILTIN)))}{END}"


def row(name: str) -> str:
    """One network."""
    kind = adapters.load(name)
    cells = (f"`{name}`", carries(kind), silence(kind), VERIFIED[name].what)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |\n"


def carries(kind: type[Adapter]) -> str:
    """What may be said there, and how much of it."""
    what = [words for feature, words in CARRIES.items() if feature in kind.supports]
    what += sorted(kind.supports - CARRIES.keys())
    what += ["corrections"] if kind.corrects else []
    what += ["sign-in by `connect`"] if kind.granted else []
    return "; ".join((", ".join(what), *limits(kind)))


def limits(kind: type[Adapter]) -> Iterator[str]:
    """Figures."""
    if kind.rules.max_length:
        links = f", a link is {kind.rules.link_length}" if kind.rules.link_length else ""
        yield f"{kind.rules.max_length:,} {UNITS.get(kind.rules.unit, 'characters')}{links}"
    if "image" in kind.supports and "email" not in kind.supports:
        yield f"pictures of {kind.pictures.max_bytes / 1_000_000:g} MB"
    if issubclass(kind, Provider):
        option = kind.Options.model_fields.get("batch")
        most = next((rule.le for rule in option.metadata if hasattr(rule, "le")), 1) if option else 1
        yield f"up to {most:,} readers a call" if most > 1 else "one reader a call"
        if kind.lost:
            yield f"of our own message is lost: {kind.lost}"


def silence(kind: type[Adapter]) -> str:
    """What is done where a request got no answer."""
    dedupe: Dedupe = kind.dedupe
    steps = []
    if dedupe.repeat:
        steps.append(f"the same request again, recognised {span(dedupe.repeat)}")
    if "repeat" in kind.Options.model_fields:
        steps.append("the same request again, for as long as the account says (`repeat`)")
    if dedupe.lookup:
        steps.append("it is looked up" if dedupe.proves_absence else "it is looked up, and only a yes counts")
    if not steps:
        return "a person decides, or `unknown: resend`"
    return "; ".join(steps) + (
        "" if dedupe.repeat and dedupe.repeat > timedelta(days=365) else "; else a person decides"
    )


def span(length: timedelta) -> str:
    """`for 50 minutes`."""
    for unit, name in ((timedelta(days=365), ""), (timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if length >= unit:
            count = int(length / unit)
            return f"for {count} {name}{'s' * (count > 1)}" if name else "for ever"
    return f"for {int(length / timedelta(minutes=1))} minutes"


def in_readme(text: str) -> str:
    """The block as it stands there. Raises ValueError where a marker is missing."""
    return text[text.index(BEGIN) : text.index(END) + len(END)]


if __name__ == "__main__":
    written = README.read_text("utf-8")
    README.write_text(written.replace(in_readme(written), table()), "utf-8")
