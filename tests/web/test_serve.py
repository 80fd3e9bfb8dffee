"""`syndicate serve` as a process: pages, postman and scheduler together, and their end."""

from __future__ import annotations

import re
import signal
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from syndicate.audience.signups import Signups, Visit
from syndicate.audience.tokens import Keys
from syndicate.database import open_database
from syndicate.errors import UsageError
from syndicate.web.server import check_place, listen
from tests.project import Project
from tests.test_scheduler import running, wait_for
from tests.web.conftest import Rest
from tests.web.site import AUDIENCES

LIST = AUDIENCES + "  members: {list: weekly}\nserve:\n  lists: {weekly: Each Monday}\n"
CHANNEL = """
  members-digest: {kind: digest, account: outbox, audience: members}
  linkedin:
    kind: post"""


def ask(url: str, **headers: str) -> tuple[int, str]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urlopen(Request(url, headers=named), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


@pytest.fixture
def newsroom(project: Project) -> Project:
    project.configure((AUDIENCES, LIST), ("\n  linkedin:\n    kind: post", CHANNEL))
    return project


def test_pages_scheduler_and_postman_work_until_they_are_told_to_stop(newsroom: Project) -> None:
    secret = newsroom.folder / "var" / "secret"
    secret.parent.mkdir()
    secret.write_text("a secret that is long enough", "utf-8")
    secret.chmod(0o600)
    with closing(open_database("sqlite:///var/syndicate.db", newsroom.folder)) as database:
        signups = Signups(database, Keys([secret.read_bytes()]), lambda: datetime.now(UTC))
        signups.ask(Visit("ada@example.org", ("weekly",), "Yes."))
    outbox = newsroom.folder / "outbox"
    with running(newsroom, "serve", "--port", "0") as child:
        found = re.search(r"http://\S+", child.until("Pages: "))
        assert found
        child.until("Running; a tick every minute.")
        base = found[0].removesuffix("/subscribe")
        assert "<h1>Subscribe</h1>" in ask(found[0])[1]
        assert ask(f"{base}/healthz") == (200, "ok\n")
        assert "syndicate_info" in ask(f"{base}/metrics")[1]
        assert ask(f"{base}/metrics", X_Forwarded_For="203.0.113.7")[0] in {400, 404}
        assert ask(f"{base}/metrics", Via="1.1 proxy")[0] == 404
        assert ask(found[0], Host="evil.test")[0] == 400
        wait_for(lambda: list(outbox.rglob("confirmation+/**/*.eml")))
        child.process.send_signal(signal.SIGTERM)
        assert child.end() == 0
    assert "Stopped." in child.said[-1]


def test_the_pages_alone_stop_too(newsroom: Project) -> None:
    with running(newsroom, "serve", "--port", "0", "--no-scheduler", "--log", "json") as child:
        found = re.search(r'"address": ?"([^"]+)"', child.until("pages served"))
        assert found
        assert ask(f"{found[1]}/subscribe")[0] == 200
        child.process.send_signal(signal.SIGTERM)
        assert child.end() == 0


def test_what_cannot_be_is_said_in_a_line(newsroom: Project) -> None:
    newsroom.configure(("url: https://magick.ai", "url: http://magick.ai"))
    with running(newsroom, "serve", "--host", "0.0.0.0", "--port", "0") as child:
        assert child.end() == 2
    assert "the pages would be open to the network at 0.0.0.0" in child.said[0]
    assert "publication.links" in child.said[0]
    assert newsroom.syndicate("serve", "--json").status == 2
    assert newsroom.syndicate("serve", "--no-scheduler", "--standby").status == 2


def test_a_place_that_is_taken_is_named(rest: Rest) -> None:
    port = int(rest.site.address.rpartition(":")[2])
    with pytest.raises(UsageError, match=rf"127\.0\.0\.1:{port}"):
        listen("127.0.0.1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.3.2.1", "0.0.0.0", "192.0.2.1", "example.org"])
def test_https_links_may_be_served_anywhere(rest: Rest, host: str) -> None:
    check_place(host, rest.site.app.settings)


def test_pages_and_words_are_part_of_the_package() -> None:
    import syndicate.web

    folder = Path(syndicate.web.__file__).parent
    assert {path.suffix for path in (folder / "pages").iterdir()} == {".j2", ".css"}
    assert {path.suffix for path in (folder / "words").iterdir()} == {".toml"}
