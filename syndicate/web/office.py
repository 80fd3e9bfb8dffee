"""The parts of the app that pages work with: made once for each configuration that is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlsplit

from syndicate.app import App
from syndicate.audience.choices import Choices
from syndicate.audience.links import Directory, Holder
from syndicate.audience.signups import Signups
from syndicate.audience.store import Subscribers
from syndicate.audience.tokens import Keys
from syndicate.config.settings import Serve
from syndicate.model import Publication
from syndicate.newsroom.confirmations import title


@dataclass(frozen=True, slots=True)
class Offer:
    """A list as a page shows it."""

    name: str
    title: str
    #: what it is, in one line; empty where the form does not offer it
    says: str = ""


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a page needs."""

    app: App
    keys: Keys
    choices: Choices
    signups: Signups
    directory: Directory

    @property
    def publication(self) -> Publication:
        """Who speaks."""
        return self.app.settings.publication

    @property
    def prefix(self) -> str:
        """The path of `publication.links`, under which all pages are; empty, or with a slash in front."""
        return urlsplit(self.publication.links).path.rstrip("/")

    @property
    def serve(self) -> Serve:
        """What the configuration says of the pages."""
        return self.app.settings.serve or Serve()

    @property
    def hosts(self) -> frozenset[str]:
        """The names of hosts under which the pages may be asked for."""
        return frozenset({urlsplit(self.publication.links).hostname or "", *self.serve.hosts})

    @property
    def offered(self) -> Mapping[str, str]:
        """The lists that the form offers, and what each is."""
        return self.serve.lists

    def offers(self, names: Iterable[str]) -> list[Offer]:
        """Lists as a page shows them."""
        return [Offer(name, title(name), self.offered.get(name, "")) for name in names if name]


def desk(app: App) -> Desk:
    """The desk of an app."""
    keys, database = app.keys(), app.database()
    store = Subscribers(database, app.secrets, app.clock)
    directory = Directory(database, keys, store.list_named)
    choices = Choices(store, directory, app.clock, lambda holder: successors(app, holder))
    return Desk(app, keys, choices, Signups(database, keys, app.clock), directory)


def successors(app: App, holder: Holder) -> tuple[str, ...]:
    """Where an audience was given another name, the one that its channel mails to today."""
    audiences, channel = app.settings.audiences, app.settings.channels.get(holder.channel)
    if holder.list in {audience.list for audience in audiences.values()} or channel is None or not channel.audience:
        return ()
    return (audiences[channel.audience].list,)


class Office:
    """The desk of the app that is in force. May be used from several threads."""

    def __init__(self, app: Callable[[], App]) -> None:
        self._app = app
        self._desk: Desk | None = None
        self._turn = Lock()

    def __call__(self) -> Desk:
        """The present desk; a new one where the configuration has changed."""
        app, present = self._app(), self._desk
        if present is not None and present.app is app:
            return present
        with self._turn:
            if self._desk is None or self._desk.app is not app:
                self._desk = desk(app)
            return self._desk
