"""Tokens are renewed in time, by one process, and never twice with the same refresh token."""

from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from syndicate.app import rehearsal
from syndicate.newsroom.expiry import Ending
from syndicate.newsroom.tick import tick
from syndicate.signin.vault import Token
from syndicate.testing.clock import Clock
from syndicate.testing.http import Fault, Reply
from syndicate.testing.oauth import CLIENT, SECRET
from syndicate.testing.x import TOKEN as X
from tests.project import Project
from tests.signin.network import DAY, HOUR, START, at, open_app, signed_in

SOON = timedelta(minutes=20)


def kept(project: Project, name: str) -> Token:
    found = open_app(project).vault.read(name)
    assert found is not None
    return found


def test_a_token_that_lives_long_enough_is_left_alone(project: Project) -> None:
    with at(project, "x") as network:
        signed_in(open_app(project), "x")
        open_app(project, Clock(START + HOUR)).renew("x")
        assert network.authority.spent == []


def test_a_token_is_renewed_before_it_sends(project: Project) -> None:
    clock = Clock(START)
    with at(project, "x") as network:
        app = open_app(project, clock)
        signed_in(app, "x")
        before = app.adapter("x")
        clock.advance(2 * HOUR - SOON)
        tick(app, clock())
        assert network.authority.spent == ["refresh-1-of-the-tests"]
        assert len(network.posts) == 2
        assert {one.headers["authorization"] for one in network.journal if one.path == "/2/tweets"} == {f"Bearer {X}-1"}
        assert app.adapter("x") is not before
        assert app.adapter("x") is app.adapter("x")
        assert kept(project, "x").until == clock() + 2 * HOUR
        app.close()


def test_a_token_that_has_ended_is_renewed_by_its_refresh_token(project: Project) -> None:
    with at(project, "x") as network:
        signed_in(open_app(project), "x")
        open_app(project, Clock(START + 30 * DAY)).renew("x")
        assert (network.authority.valid, kept(project, "x").access) == ({f"{X}-1"}, f"{X}-1")


def test_nothing_to_send_spends_no_refresh_token(project: Project) -> None:
    with at(project, "x") as network:
        signed_in(open_app(project), "x")
        open_app(project, Clock(START + DAY)).renew("x", idle=True)
        assert network.authority.spent == []


def test_a_token_that_is_renewed_by_itself_is_kept_alive_by_ticks_alone(project: Project) -> None:
    clock = Clock(START)
    with at(project, "threads") as network:
        app = open_app(project, clock)
        signed_in(app, "threads")
        project.configure(('schedule: {cron: "30 10 * * MON-FRI"}', ""))
        for _ in range(8):
            clock.advance(20 * DAY)
            app = open_app(project, clock)
            tick(app, clock())
            app.close()
        assert network.posts == []
        assert kept(project, "threads").until > clock() + 19 * DAY
        renewals = [one for one in network.journal if one.path.startswith("/refresh_access_token")]
        assert len(renewals) == 4


def test_a_dry_run_renews_nothing(project: Project) -> None:
    clock = Clock(START)
    with at(project, "x") as network:
        app = open_app(project, clock)
        signed_in(app, "x")
        calls = len(network.journal)
        clock.advance(3 * HOUR)
        tick(rehearsal(app), clock())
        assert len(network.journal) == calls
        app.close()


def test_linkedins_refresh_token_is_used_where_one_was_given(project: Project) -> None:
    with at(project, "linkedin") as network:
        network.authority.refreshable, network.authority.refresh_lifetime = True, 31536000
        found = signed_in(open_app(project), "linkedin")
        assert (found.renewed, found.again) == (True, START + 365 * DAY)
        network.authority.refresh_lifetime = 26438400  # as recorded on day 59: it never begins anew
        open_app(project, Clock(START + 59 * DAY)).renew("linkedin")
        token = kept(project, "linkedin")
        assert (token.until, token.last_day) == (START + 119 * DAY, START + 365 * DAY)
        assert token.options == {"author": "urn:li:person:782bbtaQ"}


# -- what goes wrong ----------------------------------------------------------------------------------------------


def test_a_refused_renewal_is_told_and_not_repeated_at_every_tick(project: Project) -> None:
    clock = Clock(START)
    with at(project, "x") as network:
        app = open_app(project, clock)
        signed_in(app, "x")
        network.authority.revoked = True
        clock.advance(2 * HOUR - SOON)
        for _ in range(5):
            app.renew("x")
            clock.advance(timedelta(minutes=1))
        assert len(network.authority.spent) == 1
        token = kept(project, "x")
        assert "400 invalid_request Value passed for the token was invalid" in token.failed
        assert token.access == X
        assert token.last_day == START + 2 * HOUR
        clock.advance(6 * HOUR)
        app.renew("x")
        assert len(network.authority.spent) == 2


@pytest.mark.parametrize("fault", [Fault(then="close"), Fault(Reply(503)), Fault(Reply(429)), Fault(Reply(200, b"[]"))])
def test_silence_is_asked_again_soon(project: Project, fault: Fault) -> None:
    clock = Clock(START)
    with at(project, "x") as network:
        app = open_app(project, clock)
        signed_in(app, "x")
        clock.advance(2 * HOUR - SOON)
        network.fault(fault)
        app.renew("x")
        assert kept(project, "x").refused is False
        assert kept(project, "x").failed
        clock.advance(timedelta(minutes=5))
        app.renew("x")
        assert (kept(project, "x").failed, kept(project, "x").access) == ("", f"{X}-1")


def test_what_cannot_be_renewed_any_more_pauses_the_account(project: Project) -> None:
    clock = Clock(START)
    with at(project, "x") as network:
        app = open_app(project, clock)
        signed_in(app, "x")
        network.authority.revoked = True
        network.authority.valid.clear()
        clock.advance(3 * HOUR)
        tick(app, clock())
        (pause,) = app.ledger().paused_accounts()
        assert (pause.name, pause.reason) == ("x", "401 Unauthorized")
        assert pause.hint.startswith("Sign in again: syndicate connect")
        app.close()


def test_two_threads_spend_one_refresh_token(project: Project) -> None:
    with at(project, "x") as network:
        signed_in(open_app(project), "x")
        later = Clock(START + 2 * HOUR)
        apps = [open_app(project, later) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda app: app.renew("x"), apps))
        assert network.authority.spent == ["refresh-1-of-the-tests"]
        assert {app.adapter("x").options.token.get_secret_value() for app in apps} == {f"{X}-1"}


PROCESS = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from syndicate.app import assemble
sys.stdin.readline()
assemble(Path(sys.argv[1]), lambda: datetime(2025, 3, 10, 9, tzinfo=UTC)).renew("x")
"""


def test_two_processes_spend_one_refresh_token(project: Project) -> None:
    with at(project, "x") as network:
        signed_in(open_app(project), "x")
        command = [sys.executable, "-c", PROCESS, str(project.folder / "config" / "syndicate.yaml")]
        with (
            subprocess.Popen(command, stdin=subprocess.PIPE) as one,
            subprocess.Popen(command, stdin=subprocess.PIPE) as two,
        ):
            for process in (one, two):
                process.communicate(b"go\n", timeout=60)
        assert (one.returncode, two.returncode) == (0, 0)
        assert network.authority.spent == ["refresh-1-of-the-tests"]


# -- what is said ahead -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "step"),
    [(15 * DAY, None), (14 * DAY, 14), (8 * DAY, 14), (7 * DAY, 7), (3 * DAY, 3), (2 * DAY, 3), (DAY, 1), (HOUR, 1),
     (0 * DAY, 0), (-9 * DAY, 0)],
)  # fmt: skip
def test_how_far_ahead_an_end_is(left: timedelta, step: int | None) -> None:
    assert Ending("x", START + left).step(START) == step


def test_status_tells_it_from_two_weeks_ahead(project: Project) -> None:
    from syndicate.cli.status import expiries

    def told(days: int) -> list[tuple[str, str]]:
        now = START + timedelta(days=days)
        return [one for one in expiries(open_app(project, Clock(now)), now) if "sign-in" in one[1]]

    with at(project, "linkedin", ", version: '202609'"):
        signed_in(open_app(project), "linkedin")
        assert told(45) == []
        ends = "the sign-in ends on 2025-05-09, in 14 days. Sign in again: syndicate connect linkedin"
        assert told(46) == [("linkedin", ends)]
        assert told(61)[0][1].startswith("the sign-in has ended on 2025-05-09")


def reminded(project: Project, name: str, days: list[float], more: Any = None) -> list[str]:
    """What a file gets to read as the operator, at ticks so many days after the sign-in."""
    clock = Clock(START)
    for day in days:
        clock.now = START + timedelta(days=day)
        app = open_app(project, clock)
        tick(app, clock())
        app.close()
    texts = [path.read_text("utf-8") for path in (project.folder / "outbox").rglob("*.txt")]
    return sorted(
        line for text in texts for line in text.splitlines() if line.startswith(f"account {name}: the sign-in")
    )


def test_the_operator_is_told_once_at_each_step(project: Project) -> None:
    with at(project, "linkedin"):
        project.configure(("accounts:\n", "operator: {account: outbox}\naccounts:\n"),
                          ('schedule: {cron: "30 10 * * MON-FRI"}', ""))  # fmt: skip
        signed_in(open_app(project), "linkedin")
        days = [40, 46, 46.5, 50, 53, 54, 57, 59, 59.2, 59.9, 60.1, 61, 75]
        told = reminded(project, "linkedin", days)
        assert [line.split(". ")[0].removeprefix("account linkedin: the sign-in ") for line in told] == [
            "ends on 2025-05-09, in 1 day",
            "ends on 2025-05-09, in 14 days",
            "ends on 2025-05-09, in 3 days",
            "ends on 2025-05-09, in 7 days",
            "has ended on 2025-05-09",
        ]


def test_a_token_of_the_configuration_is_told_of_by_its_last_day(project: Project) -> None:
    with at(project, "linkedin", ", token: literal, token_until: 2025-03-30, author: 'urn:li:person:1'"):
        project.configure(("accounts:\n", "operator: {account: outbox}\naccounts:\n"),
                          ('schedule: {cron: "30 10 * * MON-FRI"}', ""))  # fmt: skip
        told = reminded(project, "linkedin", [1, 8, 8.5, 15, 30])
        assert [re.sub(r"^.*sign-in |\. Sign.*$", "", line) for line in told] == [
            "ends on 2025-03-30, in 12 days",
            "ends on 2025-03-30, in 5 days",
            "has ended on 2025-03-30",
        ]


def test_what_is_renewed_is_not_told(project: Project) -> None:
    with at(project, "threads"):
        project.configure(("accounts:\n", "operator: {account: outbox}\naccounts:\n"))
        signed_in(open_app(project), "threads")
        assert reminded(project, "threads", [10, 29, 31, 50, 59, 70]) == []


def test_a_renewal_that_fails_is_told_before_the_end(project: Project) -> None:
    with at(project, "threads") as network:
        project.configure(("accounts:\n", "operator: {account: outbox}\naccounts:\n"))
        signed_in(open_app(project), "threads")
        network.renews = False
        (line,) = reminded(project, "threads", [35, 46])
        assert "and is not renewed: 127.0.0.1:" in line
        assert "Session has expired" in line


def test_credentials_of_the_application_stay_where_they_were(project: Project) -> None:
    """What is kept is what the network gave; the application's own secret is asked of the configuration each time."""
    with at(project, "x"):
        signed_in(open_app(project), "x")
        token = kept(project, "x")
        assert SECRET not in repr(vars(type(token))) + str([getattr(token, name) for name in token.__slots__])
        assert CLIENT not in str([getattr(token, name) for name in token.__slots__])
