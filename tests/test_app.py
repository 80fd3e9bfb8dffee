"""How the parts are put together: live, and in rehearsal."""

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from syndicate.app import assemble, make_secret, rehearsal
from syndicate.errors import ConfigError
from syndicate.testing.smtp import SmtpServer
from tests.project import MONDAY, Project


@pytest.fixture
def mail(project: Project) -> Iterator[SmtpServer]:
    """The project is live and mails with a password that this machine does not have."""
    with SmtpServer(password=("news", "right")) as server:
        where = f"host: 127.0.0.1, port: {server.port}, tls: none"
        account = f'mail: {{adapter: smtp, {where}, username: news, password: "${{file:var/password}}"}}'
        project.configure(
            ("mode: rehearsal", "mode: live"),
            ("  outbox: {adapter: file, folder: outbox}", f"  outbox: {{adapter: file, folder: outbox}}\n  {account}"),
            ("account: outbox\n    audience", "account: mail\n    audience"),
        )
        yield server


def test_a_rehearsal_does_not_need_the_secrets_of_the_networks(project: Project, mail: SmtpServer) -> None:
    said = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert said.status == 0, said
    assert mail.connections == 0


def test_a_missing_secret_is_named_and_loses_nobody(project: Project, mail: SmtpServer) -> None:
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 1
    assert "var/password" in said.out
    assert mail.connections == 0
    password = project.folder / "var" / "password"
    password.write_text("right")
    password.chmod(0o600)
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert len(mail.journal) == 3


def test_a_wrong_password_pauses_the_account_and_loses_nobody(project: Project, mail: SmtpServer) -> None:
    password = project.folder / "var" / "password"
    password.parent.mkdir()
    password.write_text("wrong")
    password.chmod(0o600)
    said = project.syndicate("run", "--once", "--at", MONDAY)
    assert said.status == 3, said
    assert "account mail is paused" in said.out
    assert project.syndicate("status").status == 3
    password.write_text("right")
    project.syndicate("run", "--once", "--at", MONDAY)
    assert mail.journal == []
    assert project.syndicate("editions", "resume", "weekly-digest/2025-03-10T09:00").status == 0
    assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
    assert len(mail.journal) == 3


def test_a_rehearsal_of_a_rehearsal_is_still_one(project: Project) -> None:
    app = rehearsal(rehearsal(assemble(project.folder / "config" / "syndicate.yaml")))
    assert app.adapter("outbox").send(None, None, "") is not None  # type: ignore[arg-type]
    assert not (project.folder / "outbox").exists()


def test_a_faulty_configuration_is_an_error_that_holds_every_problem(project: Project) -> None:
    project.configure(("kind: digest", "kind: digset"), ('cron: "30 10', 'cron: "99 10'))
    with pytest.raises(ConfigError) as caught:
        assemble(project.folder / "config" / "syndicate.yaml")
    assert len(caught.value.problems) >= 2


def test_of_many_that_make_the_key_at_once_one_wins_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret"

    def attempt(number: int) -> bytes:
        make_secret(path)
        return path.read_bytes()

    with ThreadPoolExecutor(8) as pool:
        seen = set(pool.map(attempt, range(16)))
    assert len(seen) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]
