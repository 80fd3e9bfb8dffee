"""The parts, put together: what one command or one tick works with.

`rehearsal` is the only place that knows of a dry run: the same app around adapters that touch nothing and a ledger
that lives in memory. What is heavy is opened when it is first asked for, so that `plan` loads no database driver.
"""

from __future__ import annotations

import os
import secrets as randomness
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkstemp
from threading import Event
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from syndicate.config.load import Loaded, load
from syndicate.config.settings import Settings
from syndicate.errors import ConfigError, UsageError
from syndicate.model import Channel, History, Payload, Problem
from syndicate.model.limits import Limits

if TYPE_CHECKING:
    from syndicate.adapters.base import Adapter
    from syndicate.audience.csv import Readers
    from syndicate.audience.named import Named
    from syndicate.audience.selection import Stored
    from syndicate.audience.store import Subscribers
    from syndicate.audience.tokens import Keys
    from syndicate.content.library import Library
    from syndicate.database.transactions import Database
    from syndicate.deliver.metrics import Meter
    from syndicate.ledger.base import Ledger
    from syndicate.render.templates import Templates
    from syndicate.signin.vault import Vault

T = TypeVar("T")
Clock = Callable[[], datetime]
Sink = Callable[[str, Payload], None]


def now() -> datetime:
    """The clock of the live app; tests hand in their own."""
    return datetime.now(UTC)


class Renew(Protocol):
    """What keeps the tokens of accounts alive."""

    def __call__(self, account: str, *, idle: bool = False) -> None:
        """Renews what an account signs in with, where it is time; `idle`: though it has nothing to send."""


def let_be(account: str, *, idle: bool = False) -> None:
    """Renews nothing: nothing is sent."""


class Lazy(Generic[T]):
    """A value that is made when it is first asked for."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        #: at most one
        self.made: list[T] = []

    def __call__(self) -> T:
        """The value, always the same one."""
        if not self.made:
            self.made.append(self._make())
        return self.made[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """Everything that a command needs, opened on demand."""

    #: the project's folder, to which all relative paths belong
    root: Path
    #: the configuration with the positions of its keys
    loaded: Loaded
    settings: Settings
    clock: Clock
    #: account -> its adapter, made once, and anew when its token has changed
    adapter: Callable[[str], Adapter]
    #: what accounts were given by those who have signed in
    vault: Vault
    #: account -> how fast it may send
    limits: Callable[[str], Limits]
    #: opens the database once; the ledger and the audience are in it
    database: Lazy[Database]
    #: what was said already, without opening the ledger
    history: Callable[[], History]
    #: the article folders
    library: Callable[[], Library]
    templates: Callable[[], Templates]
    #: key material of Message-IDs and unsubscribe links
    secret: Callable[[], bytes]
    #: the same with the keys that it has replaced, which still open the links that they made
    secrets: Callable[[], tuple[bytes, ...]]
    #: who gets all mail instead of the audiences; None: nobody does
    named: Named | None = None
    #: whether the ledger outlives this process
    durable: bool = True
    #: renews what an account signs in with, where it is time; before it sends
    renew: Renew = let_be
    #: set from any thread: couriers claim nothing more, and finish what is on the wire
    stop: Event = field(default_factory=Event)
    #: counts what couriers do; None: nobody asked
    meter: Meter | None = None
    #: moves a clock of its own on by so many seconds, where the couriers are not to wait for the real one
    sleep: Callable[[float], object] | None = None

    def close(self) -> None:
        """Lets go of the database, if it was opened."""
        for database in self.database.made:
            database.close()

    def ledger(self) -> Ledger:
        """What was said, to whom."""
        from syndicate.ledger.sql import SqlLedger

        return SqlLedger(self.database())

    def subscribers(self) -> Subscribers:
        """The subscriber store."""
        from syndicate.audience.store import Subscribers

        return Subscribers(self.database(), self.secrets, self.clock)

    def readers(self, audience: str) -> Readers | Named | Stored:
        """Who is in an audience, streamed."""
        from syndicate.audience.named import Named

        if self.named:
            return self.named
        configured = self.settings.audiences[audience]
        if configured.csv is None:
            if not self.has_ledger():
                return Named(())  # asking makes no database; nobody can be in it yet
            zone = self.settings.publication.timezone
            return self.subscribers().selection(configured.list, configured.segment, zone)
        from syndicate.audience.csv import Readers

        return Readers(configured.csv, self.root)

    def keys(self) -> Keys:
        """What signs links, and tells whether they are ours."""
        from syndicate.audience.tokens import Keys

        return Keys(self.secrets())

    def has_ledger(self) -> bool:
        """Whether anything was ever entered; asking does not make a database."""
        from syndicate.database.files import locate

        path = locate(database_url(self.settings), self.root)
        return path is None or path.exists()

    def attempts(self) -> Path | None:
        """Where couriers keep their attempt logs; None in a rehearsal, whose ledger lives in memory."""
        from syndicate.ledger import attempts_folder

        return attempts_folder(database_url(self.settings), self.root) if self.durable else None

    def outbox_page(self, channel: str) -> Path | None:
        """The page with what an account on this disk has written; None for the other accounts."""
        folder = getattr(self.adapter(self.channel(channel).account).options, "folder", None)
        page = folder / "index.html" if isinstance(folder, Path) else None
        if page is None or not page.exists():
            return None
        return page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page

    def channel(self, name: str) -> Channel:
        """Raises `UsageError` with the names there are."""
        if name in self.settings.channels:
            return self.settings.channels[name]
        raise UsageError(
            f"there is no channel {name!r}", hint=f"The channels are: {', '.join(self.settings.channels)}."
        )

    def channels(self, names: Iterable[str] = ()) -> tuple[Channel, ...]:
        """The named channels, or all."""
        return tuple(map(self.channel, names)) or tuple(self.settings.channels.values())


def assemble(config: Path, clock: Clock = now) -> App:
    """The live app. Raises `ConfigError`, with every problem, if the configuration cannot be used."""
    from syndicate.accounts import Live
    from syndicate.signin.vault import Vault

    loaded = load(config)
    settings = loaded.settings
    if settings is None:
        raise ConfigError("the configuration cannot be used", problems=loaded.problems)
    root = settings.root
    secrets = cache(lambda: read_secrets(settings))
    vault = Vault(root / "var" / "tokens", secrets)
    adapters = Live(loaded, settings, vault)
    return App(
        root=root,
        loaded=loaded,
        settings=settings,
        clock=clock,
        adapter=adapters,
        vault=vault,
        renew=lambda account, *, idle=False: adapters.renew(account, clock(), idle=idle),
        limits=lambda name: settings.accounts[name].limits,
        database=Lazy(lambda: open_database(settings)),
        history=lambda: read_history(settings),
        library=cache(lambda: make_library(settings)),
        templates=cache(lambda: make_templates(settings)),
        secret=lambda: secrets()[0],
        secrets=secrets,
    )


def rehearsal(app: App, sink: Sink = lambda key, payload: None) -> App:
    """The same app, unable to touch anything: each payload goes to `sink` and nowhere else.

    A secret that is not set on this machine is no obstacle, since nothing that needs it will happen.
    """
    from syndicate.accounts import pretended
    from syndicate.adapters.dryrun import DryRun
    from syndicate.database import rehearsal_copy

    return replace(
        app,
        adapter=cache(lambda name: DryRun(pretended(app.loaded, app.settings, name, app.vault), sink)),
        renew=let_be,
        limits=lambda name: Limits(),
        database=Lazy(lambda: rehearsal_copy(database_url(app.settings), app.root)),
        durable=False,
        meter=None,
    )


def trial(app: App, addresses: Sequence[str]) -> App:
    """The live app for a few named readers: really sent, and counted for nothing. Raises `UsageError`."""
    from syndicate.audience.named import Named
    from syndicate.database import rehearsal_copy

    try:
        named = Named(addresses)
    except ValueError as error:
        raise UsageError(f"--test: {error}") from error
    return replace(
        app,
        named=named,
        database=Lazy(lambda: rehearsal_copy("sqlite://", app.root)),
        durable=False,
        meter=None,
    )


def stages(app: App, channels: Iterable[Channel]) -> Iterator[tuple[App, tuple[Channel, ...]]]:
    """Which app serves which channels: in `mode: rehearsal` only accounts that stay on this disk are live."""
    chosen = tuple(channels)
    if app.settings.mode == "live":
        yield app, chosen
        return
    local = tuple(channel for channel in chosen if is_local(app, channel))
    yield app, local
    if len(local) < len(chosen):
        yield rehearsal(app), tuple(channel for channel in chosen if channel not in local)


def is_local(app: App, channel: Channel) -> bool:
    """Whether the channel's account only writes to this disk."""
    from syndicate.adapters import load as load_adapter

    return load_adapter(app.settings.accounts[channel.account].adapter).local


def check_accounts(app: App) -> list[Problem]:
    """What is wrong with the options of each account, without using a secret."""
    from syndicate.accounts import pretended

    problems: list[Problem] = []
    for name in app.settings.accounts:
        try:
            pretended(app.loaded, app.settings, name, app.vault)
        except ConfigError as error:
            problems += error.problems
    return problems


def database_url(settings: Settings) -> str:
    """Where the ledger is; a password in it is a reference until now."""
    from syndicate.config.secrets import resolve

    return resolve(settings.database, settings.root)


def open_database(settings: Settings) -> Database:
    """The database on disk, brought up to the present schema."""
    from syndicate import database

    return database.open_database(database_url(settings), settings.root)


def read_history(settings: Settings) -> History:
    """What was already said."""
    from syndicate import ledger

    return ledger.history(database_url(settings), settings.root)


def make_library(settings: Settings) -> Library:
    """The article folders with their index."""
    from syndicate.content.library import Library

    return Library(
        settings.root,
        [str(folder) for folder in settings.folders],
        zone=settings.publication.timezone,
        language=settings.publication.language,
        base_url=settings.publication.url,
        cache=settings.root / "var" / "cache" / "articles.index",
        pictures=settings.root / "var" / "pictures" if settings.fetch_pictures else None,
    )


def make_templates(settings: Settings) -> Templates:
    """The project's templates; what it lacks comes from those that Syndicate ships."""
    from syndicate.config.starter import starter_folder
    from syndicate.render.templates import Templates

    return Templates(settings.root / settings.templates, fallback=starter_folder() / "templates")


def read_secret(settings: Settings) -> bytes:
    """The key material; made on first use, by whichever command is first, where the project names a file for it.

    A dry run makes it too: without it the bytes that it shows could not be those that are sent later.
    """
    from syndicate.config.secrets import file_reference, resolve

    path = file_reference(settings.secret, settings.root)
    if path is not None and not path.exists():
        make_secret(path)
    return resolve(settings.secret, settings.root).encode()


def read_secrets(settings: Settings) -> tuple[bytes, ...]:
    """The key material that signs, and what was used before it."""
    from syndicate.config.secrets import resolve

    earlier = (resolve(secret, settings.root).encode() for secret in settings.earlier_secrets)
    return (read_secret(settings), *earlier)


def make_secret(path: Path) -> None:
    """Writes fresh key material that only its owner can read; the first of two processes wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = mkstemp(dir=path.parent, prefix=f"{path.name}.")  # readable by its owner only
    draft = Path(name)
    with os.fdopen(descriptor, "w") as file:
        file.write(randomness.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # fails if the name exists: a plain rename would replace the first process's key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
