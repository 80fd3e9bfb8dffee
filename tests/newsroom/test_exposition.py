"""What Prometheus reads, over a real socket, after a real send."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from syndicate.app import App, assemble, rehearsal
from syndicate.deliver.metrics import Meter
from syndicate.errors import UsageError
from syndicate.newsroom.exposition import endpoint, served
from syndicate.newsroom.tick import tick
from syndicate.testing.smtp import Fault, SmtpServer
from tests.project import Project

NOON = datetime(2025, 3, 10, 12, tzinfo=ZoneInfo("Asia/Kolkata"))
DIGEST = "weekly-digest"
READERS = ("zora@example.org", "ines@example.net", "omar@example.com", "lena@example.org", "juri@example.net")
Numbers = dict[tuple[str, ...], float]


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture
def app(project: Project, smtp: SmtpServer) -> Iterator[App]:
    """A digest for five readers over SMTP, that counts."""
    rows = "".join(f"{reader},,2025-01-01,test\n" for reader in READERS)
    (project.folder / "config" / "readers.csv").write_text("email,name,consent_at,consent_source\n" + rows, "utf-8")
    account = f"  mail: {{adapter: smtp, host: 127.0.0.1, port: {smtp.port}, tls: none, connections: 1}}\n"
    project.configure(
        ("mode: rehearsal", "mode: live"),
        ("accounts:\n", f"accounts:\n{account}"),
        ("account: outbox\n    audience", "account: mail\n    audience"),
    )
    made = replace(assemble(config(project), clock=lambda: NOON), meter=Meter())
    yield made
    made.close()


def config(project: Project) -> Path:
    return project.folder / "config" / "syndicate.yaml"


@contextmanager
def scraped(app: App) -> Iterator[Callable[[], tuple[str, Numbers]]]:
    """Asks as Prometheus does: (the text, name and values of its labels by name -> number)."""
    assert app.meter
    with served(app.meter, lambda: app, "0") as address:

        def ask() -> tuple[str, Numbers]:
            with urlopen(address) as answer:
                text = answer.read().decode()
            samples = [sample for family in parse(text) for sample in family.samples]
            return text, {(one.name, *(value for _, value in sorted(one.labels.items()))): one.value for one in samples}

        yield ask


def test_outcomes_times_and_what_is_open_are_served_after_a_send(app: App, smtp: SmtpServer) -> None:
    smtp.fault("rcpt", Fault(b"550 5.1.1 no such user\r\n"))
    smtp.fault("rcpt", Fault(b"450 4.2.0 busy\r\n"))
    smtp.fault("dot", Fault(b"", "close", keep=True))
    with scraped(app) as ask:
        _, before = ask()
        assert ("syndicate_deliveries_total", "mail", DIGEST, "sent") not in before
        tick(app, NOON)
        text, found = ask()
    counted = {
        key[3]: value for key, value in found.items() if key[:3] == ("syndicate_deliveries_total", "mail", DIGEST)
    }
    assert counted == {"sent": 2, "refused": 1, "deferred": 1, "unknown": 1}
    assert found["syndicate_exchange_seconds_count", "mail"] == 5
    assert found["syndicate_exchange_seconds_bucket", "mail", "+Inf"] == 5
    assert 0 < found["syndicate_exchange_seconds_sum", "mail"] < 60
    assert found[("syndicate_settle_seconds_count",)] >= 2
    assert found["syndicate_in_flight", "mail"] == 0
    opened = {key[3]: value for key, value in found.items() if key[:3] == ("syndicate_open_deliveries", "mail", DIGEST)}
    assert opened == {"planned": 0, "sending": 0, "deferred": 1, "unknown": 1}
    assert found[("process_resident_memory_bytes",)] > 1 << 20
    assert not [reader for reader in READERS if reader in text or reader.partition("@")[0] in text]


def test_the_buckets_of_a_histogram_only_grow(app: App) -> None:
    with scraped(app) as ask:
        tick(app, NOON)
        _, found = ask()
    buckets = [value for key, value in found.items() if key[:2] == ("syndicate_exchange_seconds_bucket", "mail")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == len(READERS)


def test_an_account_that_waits_for_a_person_is_shown_until_it_is_resumed(app: App, smtp: SmtpServer) -> None:
    smtp.fault("mail", Fault(b"530 5.7.0 sign in first\r\n"))
    with scraped(app) as ask:
        tick(app, NOON)
        _, paused = ask()
        app.ledger().resume_account("mail", NOON, "person")
        _, resumed = ask()
    assert paused["syndicate_account_paused", "mail"] == 1
    assert paused["syndicate_deliveries_total", "mail", DIGEST, "paused"] == 1
    assert ("syndicate_account_paused", "mail") not in resumed


def test_a_rehearsal_counts_for_nothing(app: App) -> None:
    tick(rehearsal(app), NOON)
    assert app.meter
    assert not app.meter.outcomes
    assert not app.meter.exchanges


def test_asking_makes_no_database(app: App, project: Project) -> None:
    with scraped(app) as ask:
        _, found = ask()
    assert not (project.folder / "var" / "syndicate.db").exists()
    assert ("syndicate_editions_awaiting",) not in found


def test_a_port_that_is_taken_is_a_mistake_in_the_command(app: App) -> None:
    assert app.meter
    with served(app.meter, lambda: app, "0") as address:
        taken = address.split("/")[2]
        with pytest.raises(UsageError, match="in use"), served(app.meter, lambda: app, taken):
            pass


@pytest.mark.parametrize(
    ("text", "where"),
    [("9464", ("127.0.0.1", 9464)), ("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:9464", ("::1", 9464))],
)
def test_an_endpoint_is_on_this_machine_unless_it_says_otherwise(text: str, where: tuple[str, int]) -> None:
    assert endpoint(text) == where


@pytest.mark.parametrize("text", ["", "x", "1:x", "65536", "-1", "9464:", "٣"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no port"):
        endpoint(text)
