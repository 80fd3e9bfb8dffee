"""The public pages of a project, answered by a real server on loopback, and a visitor who writes HTTP by hand."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlencode, urlsplit

from syndicate.app import App, assemble
from syndicate.audience.store import Subscribers
from syndicate.audience.tokens import Purpose
from syndicate.newsroom.confirmations import settle
from syndicate.newsroom.tick import tick
from syndicate.testing.clock import MONDAY, Clock
from syndicate.testing.log import Heard
from syndicate.web.server import answering
from tests.project import Project

#: Noon in Kolkata, where the sample project is.
MORNING = MONDAY - timedelta(hours=5, minutes=30)
LINKS = "https://news.magick.test"
AUDIENCES = "audiences:\n  readers: {csv: config/readers.csv}\n"
STORE = """
  members: {list: weekly}
  others: {list: daily}

serve:
  lists: {weekly: "Every Monday, in ten minutes", daily: "Each morning, in two"}
  hosts: [letters.magick.test]
  proxies: [127.0.0.9]
"""
CHANNELS = """
  members-digest:
    kind: digest
    account: outbox
    audience: members
    template: digest
    schedule: {cron: "0 9 * * MON"}
    select: {lookback: all}
  daily-digest:
    kind: digest
    account: outbox
    audience: others
    template: digest
    select: {lookback: all}
"""


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    #: names in lower case, as they came
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        found = [value for key, value in self.headers if key == name]
        assert len(found) <= 1, found
        return found[0] if found else ""

    @property
    def title(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.text)
        return found[1] if found else self.text.strip()


@dataclass
class Site:
    """A project whose pages are up. Time stands still until a test moves it."""

    project: Project
    app: App
    clock: Clock
    heard: Heard
    address: str
    woken: list[None] = field(default_factory=list)

    @property
    def store(self) -> Subscribers:
        return Subscribers(self.app.database(), self.app.secrets, self.clock)

    def raw(self, request: bytes, source: str = "127.0.0.1") -> bytes:
        """Sends bytes and reads to the end."""
        place = urlsplit(self.address)
        with socket.create_connection((place.hostname, place.port), 10, source_address=(source, 0)) as connection:
            connection.sendall(request)
            received = b""
            while piece := connection.recv(65536):
                received += piece
        return received

    def ask(self, method: str, path: str, body: bytes = b"", *, source: str = "127.0.0.1", **headers: str) -> Answer:
        """One request on a connection of its own. Underscores in names of headers are hyphens."""
        named = {"Host": "news.magick.test", "Connection": "close"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        if body or method == "POST":
            named.setdefault("Content-Length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        return parse(self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body, source))

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path_of(path), **headers)

    def post(self, path: str, *fields: tuple[str, str], source: str = "127.0.0.1", **headers: str) -> Answer:
        body = urlencode(fields).encode()
        headers = {"Content_Type": "application/x-www-form-urlencoded"} | headers
        return self.ask("POST", path_of(path), body, source=source, **headers)

    def nonce(self) -> str:
        """That of a form which was shown long enough ago."""
        found = re.search(r'name="form" value="([^"]+)"', self.get("/subscribe").text)
        assert found
        self.clock.advance(timedelta(seconds=3))
        return found[1]

    def sign_up(self, address: str, *lists: str, source: str = "127.0.0.1", **headers: str) -> Answer:
        chosen = [("list", name) for name in lists or ("weekly",)]
        return self.post(
            "/subscribe", *chosen, ("email", address), ("website", ""), ("form", self.nonce()), source=source, **headers
        )

    def settle(self) -> None:
        """What the postman does when he is woken."""
        settle(self.app)

    def mails(self, to: str = "") -> list[EmailMessage]:
        """All that was sent, or all that was sent to one address; the oldest first."""
        paths = sorted((self.project.folder / "outbox").rglob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        read = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
        return [one for one in read if not to or to in str(one["To"])]  # type: ignore[misc]

    def subscribed(self, address: str, *lists: str) -> int:
        """The number of somebody who has signed up and confirmed."""
        self.sign_up(address, *lists)
        self.settle()
        link = link_of(self.mails(address)[-1], "/c/")
        shown = re.findall(r'name="list" value="([^"]+)"', self.get(link).text)
        assert self.post(link, *(("list", name) for name in shown)).title == "Welcome"
        found = self.store.find(address)
        assert found
        return found.reader

    def tick(self) -> None:
        """What the scheduler does each minute."""
        tick(self.app, self.clock())

    def link(self, purpose: Purpose, reader: int, name: str = "weekly") -> str:
        """The path of a subscriber's link."""
        page = {Purpose.UNSUBSCRIBE: "u", Purpose.CONFIRM: "c", Purpose.PREFERENCES: "p"}[purpose]
        counted = self.store.count(name)
        return f"/{page}/{self.app.keys().member(purpose, reader, counted.number if counted else 0)}"

    def rows(self) -> dict[str, list[object]]:
        """All that the database holds of people, editions and visits."""
        tables = ("subscriber", "member", "tag", "consent", "suppression", "signup", "tried", "delivery", "edition")
        with self.app.database().reading() as connection:
            return {name: list(connection.exec_driver_sql(f"SELECT * FROM {name}")) for name in tables}


def parse(received: bytes) -> Answer:
    """The answer in what came over a connection that is closed now."""
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Answer(int(first.split()[1]) if first else 0, headers, body)


def path_of(url: str) -> str:
    """The path of a link of ours."""
    return url.removeprefix(LINKS)


def link_of(mail: EmailMessage, page: str) -> str:
    """The link to a page of ours in the text of a mail, such as that to `/c/`."""
    part = mail.get_body(("plain",))
    assert part
    found = re.search(rf"{re.escape(LINKS)}{page}[\w-]+", part.get_content())
    assert found, part.get_content()
    return found[0]


@contextmanager
def site_of(project: Project, **changes: str) -> Iterator[Site]:
    """The pages of a project that has two lists in its store and one audience in a file."""
    audiences = AUDIENCES.removesuffix("\n") + STORE
    project.configure(
        (AUDIENCES, audiences),
        ("  linkedin:\n    kind: post", CHANNELS.lstrip("\n") + "  linkedin:\n    kind: post"),
        ("  linkedin: https", f"  links: {LINKS}\n  linkedin: https"),
        *changes.items(),
    )
    clock, heard, woken = Clock(MORNING), Heard(), list[None]()
    app = assemble(project.folder / "config" / "syndicate.yaml", clock)
    try:
        with answering(lambda: app, heard.log, "127.0.0.1", 0, lambda: woken.append(None)) as address:
            yield Site(project, app, clock, heard, address, woken)
    finally:
        app.close()
