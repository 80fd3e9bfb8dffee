from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from syndicate.adapters import base, bodies, http
from syndicate.adapters.addresses import checked_url
from syndicate.model import Dedupe, Receipt, Request, TextRules, Unknown


class NoticeBoardOptions(base.Options):
    """A board to pin notes to."""

    url: Annotated[str, AfterValidator(checked_url)] = Field(description="address of the board")
    token: SecretStr = Field(description="from the board's settings page")


class NoticeBoard(base.Adapter):
    """Pins posts to a notice board."""

    name = "noticeboard"
    Options = NoticeBoardOptions
    rules = TextRules(max_length=500, unit="grapheme", link_length=23)
    dedupe = Dedupe(repeat=timedelta(hours=1))  # the board keeps keys for an hour
    supports = frozenset({"post"})

    def compose(self, message):
        post = bodies.post_of(message, self)  # refuses what the adapter does not support
        return Request("POST", f"{self.options.url}/notes", bodies.canonical({"note": post.text}), bodies.JSON)

    def open(self):
        return http.session()

    def send(self, session, payload, key):
        token = self.options.token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        return http.sort(http.exchange(session, payload, headers), TABLE)


def accepted(answer):
    note = answer.json()
    if "id" not in note:
        return Unknown("a yes without an id")
    return Receipt(note["id"], note.get("url", ""), str(answer.status))


TABLE = http.Table(accepted=accepted, explain=lambda answer: str(answer.json().get("error", "")))
