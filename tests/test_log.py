"""What runs unattended writes down: the same events as sentences and as JSON, nobody's address, and no secret."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syndicate.deliver.tally import Tally
from syndicate.log import ADDRESS, level, open_log
from syndicate.newsroom.news import PACE, Milestones
from syndicate.newsroom.tick import Newsroom
from syndicate.testing.clock import Clock
from syndicate.testing.log import Heard
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import Project

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
DIGEST = "weekly-digest/2025-03-10T09:00"
READERS = ("zora@example.org", "ines@example.net", "omar@example.com")
PASSWORD, SECRET = "canary-of-the-password", "canary-of-the-key-material"


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer(password=("news", PASSWORD)) as server:
        yield server


@pytest.fixture
def room(project: Project, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    """A digest for three readers through a server that wants a password; it hears everything."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    monkeypatch.setenv("KEY_MATERIAL", SECRET)
    rows = "".join(f"{reader},,2025-01-01,test\n" for reader in READERS)
    (project.folder / "config" / "readers.csv").write_text("email,name,consent_at,consent_source\n" + rows, "utf-8")
    login = 'username: news, password: "${env:MAIL_PASSWORD}"'
    account = f"  mail: {{adapter: smtp, host: 127.0.0.1, port: {smtp.port}, tls: none, connections: 1, {login}}}\n"
    project.configure(
        ("mode: rehearsal", 'secret: "${env:KEY_MATERIAL}"\nmode: live'),
        ("accounts:\n", f"accounts:\n{account}"),
        ("account: outbox\n    audience", "account: mail\n    audience"),
        ('schedule: {cron: "30 10 * * MON-FRI"}', ""),
    )
    return Newsroom(project.folder / "config" / "syndicate.yaml", Heard(logging.DEBUG).log, Clock(NOON))


def heard(room: Newsroom, least: int) -> Heard:
    """What the log has from this level upwards, from now on."""
    found = Heard(least)
    room.log = found.log
    return found


TROUBLE = [
    ("rcpt", Fault(b"550 5.1.1 <zora@example.org>: no such user\r\n")),
    ("dot", Fault(b"", "close", keep=True)),
]


def test_an_edition_is_told_with_its_numbers_and_nobody_by_name(room: Newsroom, smtp: SmtpServer) -> None:
    for step, fault in TROUBLE:
        smtp.fault(step, fault)
    told = heard(room, logging.INFO)
    room.tick()
    (done,) = told.named("edition done")
    assert {key: done[key] for key in ("edition", "sent", "refused", "unknown", "total", "rehearsed")} == {
        "edition": DIGEST,
        "sent": 1,
        "refused": 1,
        "unknown": 1,
        "total": 3,
        "rehearsed": False,
    }
    assert done["says"] == f"{DIGEST}: sent 1, refused 1, later 0, unknown 1"
    (doubt,) = told.named("deliveries unknown")
    assert (doubt["level"], doubt["domains"], len(doubt["deliveries"])) == ("warning", 1, 1)
    assert not [line for line in told.raw if ADDRESS.search(line)]


def test_who_it_was_is_told_to_those_who_ask_for_everything(room: Newsroom, smtp: SmtpServer) -> None:
    for step, fault in TROUBLE:
        smtp.fault(step, fault)
    told = heard(room, logging.DEBUG)
    room.tick()
    found = {one["recipient"]: (one["state"], one["reason"]) for one in told.named("delivery")}
    assert set(found) == {"zora@example.org", "ines@example.net"}
    assert found["zora@example.org"] == ("refused", "550 5.1.1 <zora@example.org>: no such user")
    assert [event["level"] for event in told.events if ADDRESS.search(json.dumps(event))] == ["debug", "debug"]
    assert told.named("tick")[0]["failed"] is False
    assert told.named("edition begun")[0]["total"] == 3


def test_a_paused_account_is_told_once_without_the_words_that_name_somebody(room: Newsroom, smtp: SmtpServer) -> None:
    for _ in range(3):
        smtp.fault("mail", Fault(b"530 5.7.0 <news@example.com> may not, ask post@example.com\r\n"))
    told = heard(room, logging.INFO)
    for _ in range(3):
        room.tick()
    (paused,) = told.named("account paused")
    assert paused["account"] == "mail"
    assert "530 5.7.0 <(address)> may not, ask (address)" in paused["says"]


def test_an_account_that_rests_is_told_with_the_time_it_rests_until(room: Newsroom, smtp: SmtpServer) -> None:
    smtp.stop()
    room.config.with_name("readers.csv").write_text(
        "email,name,consent_at,consent_source\n" + "".join(f"r{n}@example.org,,2025-01-01,test\n" for n in range(30))
    )
    told = heard(room, logging.INFO)
    room.tick()
    (rests,) = told.named("account rests")
    assert datetime.fromisoformat(rests["until"]) > NOON
    assert rests["failures"] >= 1


def test_no_secret_is_written_at_any_level(room: Newsroom, smtp: SmtpServer) -> None:
    """A server that repeats what it was told, a tick that fails, a configuration that cannot be read."""
    told = heard(room, logging.DEBUG)
    smtp.fault("auth", Fault(f"535 5.7.8 {PASSWORD} is wrong\r\n".encode()))
    room.tick()
    template = room.app().root / "templates" / "digest.mjml.j2"
    template.write_text("{{ nothing }}", "utf-8")
    room.app().ledger().resume_account("mail", NOON, "person")
    smtp.fault("dot", Fault(f"250 {PASSWORD}\r\n".encode(), "close"))
    room.tick()
    room.config.write_text("channels: [", "utf-8")
    room.tick()
    (room.config.parent.parent / "var" / "syndicate.db").write_bytes(b"")
    room.tick()
    assert {event["event"] for event in told.events} >= {"account paused", "configuration unusable", "tick failed"}
    assert not [line for line in told.raw if "canary" in line]


def test_a_fault_is_told_with_its_hint_and_where_it_happened_to_those_who_ask(room: Newsroom) -> None:
    room.app()
    path = room.app().root / "var" / "syndicate.db"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"")
    told = heard(room, logging.DEBUG)
    room.tick()
    (fault,) = told.named("tick failed")
    assert fault["level"] == "error"
    assert fault["hint"]
    assert "Traceback" in told.named("traceback")[0]["says"]


@pytest.mark.parametrize(("flags", "least"), [({}, "info"), ({"verbose": True}, "debug"), ({"quiet": True}, "warning")])
def test_the_flags_choose_the_level(flags: dict[str, bool], least: str) -> None:
    lines: list[str] = []
    log = open_log(lines.append, lambda: NOON, "json", level(**flags))
    for name in ("debug", "info", "warning", "error"):
        log.log(logging.getLevelNamesMapping()[name.upper()], "something")
    assert json.loads(lines[0])["level"] == least
    assert json.loads(lines[-1])["level"] == "error"


def test_a_line_for_people_has_the_time_the_sentence_and_the_advice() -> None:
    lines: list[str] = []
    log = open_log(lines.append, lambda: NOON, "text", logging.DEBUG)
    log.info("edition done", says="weekly: sent 3", edition="weekly", sent=3)
    log.error("tick failed", says="the disk is full", hint="Free some space.", problems=["a.md:3: no title"])
    log.debug("tick", seconds=0.25, failed=False)
    assert lines == [
        "12:00:00  weekly: sent 3",
        "12:00:00  error: the disk is full\n          a.md:3: no title\n          Free some space.",
        "12:00:00  tick  seconds=0.25  failed=False",
    ]


def test_a_terminal_shows_levels_in_colour() -> None:
    lines: list[str] = []
    log = open_log(lines.append, lambda: NOON, "text", logging.INFO, colour=True)
    log.info("a", says="fine")
    log.warning("b", says="look here")
    assert lines == ["12:00:00  fine", "\x1b[33m12:00:00  look here\x1b[0m"]


def test_a_send_that_lasts_says_every_while_how_far_it_is() -> None:
    told, beat = Heard(), [0.0]
    milestones = Milestones(told.log, lambda: beat[0])
    for seconds, sent in ((0.0, 0), (1.0, 10), (PACE, 300), (PACE + 1, 310), (PACE * 2, 600)):
        beat[0] = seconds
        milestones("weekly/1", Tally(total=1000, planned=1000 - sent, sent=sent, rate=10.0))
    assert told.lines == [
        "weekly/1: 300 of 1,000, 10 a second, 70 s to go",
        "weekly/1: 600 of 1,000, 10 a second, 40 s to go",
    ]


@pytest.mark.parametrize(
    "text", ["ada@example.org", "<Ada.Love+x@mail.example.org>", "to=zoë@bücher.example,", "mailto:a@b.co?x"]
)
def test_an_address_is_found_in_any_words(text: str) -> None:
    told = Heard()
    told.log.warning("x", says=f"so {text} it is", deep={"reasons": [text]})
    assert "@" not in told.raw[0]
    assert told.raw[0].count("(address)") == 2


def test_the_scheduler_writes_json_when_it_is_asked_to(project: Project) -> None:
    from tests.test_scheduler import running  # the process that it starts is the same

    project.configure(('cron: "30 10 * * MON-FRI"', "every: minute"))
    with running(project, "run", "--log", "json") as scheduler:
        scheduler.until("linkedin/")
        scheduler.process.terminate()
        assert scheduler.end() == 0
    events = [json.loads(line) for line in "".join(scheduler.said).splitlines()]
    assert {event["level"] for event in events} <= {"info", "warning"}
    assert [events[0]["event"], events[-1]["event"]] == ["scheduler started", "scheduler stopped"]


def test_the_scheduler_serves_its_numbers(project: Project) -> None:
    from urllib.request import urlopen

    from tests.test_scheduler import running

    with running(project, "run", "--metrics", "0") as scheduler:
        address = re.search(r"http://\S+", scheduler.until("Metrics: "))
        assert address
        scheduler.until("Running")
        with urlopen(address[0]) as answer:
            assert "syndicate_info{version=" in answer.read().decode()


@pytest.mark.parametrize("flag", [("--log", "json"), ("--metrics", "9464")])
def test_what_belongs_to_the_scheduler_is_refused_for_one_tick(project: Project, flag: tuple[str, str]) -> None:
    said = project.syndicate("run", "--once", *flag)
    assert said.status == 2
    assert f"{flag[0]} belongs to the scheduler" in said.err


def test_nothing_below_the_log_writes_one(root: Path) -> None:
    """Stations hand back values; what is said of them is decided above."""
    low = ("adapters", "audience", "config", "content", "database", "deliver", "ledger", "model", "plan", "render")
    found = [path for station in low for path in (root / "syndicate" / station).rglob("*.py")]
    talking = re.compile(r"import structlog|from syndicate\.log\b|\blog(ger|ging)?\.(debug|info|warn|error)")
    assert [path.name for path in found if talking.search(path.read_text("utf-8"))] == []
