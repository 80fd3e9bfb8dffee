"""Times as people write them."""

from collections.abc import Callable
from datetime import date, time, timedelta
from pathlib import Path

import pytest

from syndicate.config import times
from syndicate.config.load import Loaded, load
from syndicate.config.show import as_yaml
from syndicate.model import Cron, Schedule
from tests.config.conftest import Write, lines

Changed = Callable[..., Loaded]
DIGEST = 'cron: "0 9 * * MON", late: {grace: 6h, then: skip}'
POSTS = 'cron: "30 10 * * MON-FRI"'
LIKE = "write it like monday 09:00, weekday 09:00, day 18:30, month 09:00 or 2 hours"


@pytest.mark.parametrize(
    ("written", "cron"),
    [
        ("monday 09:00", "0 9 * * MON"),
        ("Mondays at 9:00", "0 9 * * MON"),
        ("mon, thu 17:30", "30 17 * * MON,THU"),
        ("tuesday and thursday 08:05", "5 8 * * TUE,THU"),
        ("weekday 09:00", "0 9 * * MON-FRI"),
        ("weekends 10:00", "0 10 * * SAT,SUN"),
        ("day 00:00", "0 0 * * *"),
        ("month 09:00", "0 9 1 * *"),
        ("hour", "0 * * * *"),
        ("2 hours", "0 */2 * * *"),
        ("minute", "* * * * *"),
        ("15 minutes", "*/15 * * * *"),
    ],
)
def test_words_become_a_crontab_line(written: str, cron: str) -> None:
    assert times.crontab(written) == cron
    Cron.parse(cron)


@pytest.mark.parametrize(
    ("key", "written", "message"),
    [
        ("every", "monday", f"'monday' names no time of day: {LIKE}"),
        ("every", "09:00", f"'09:00' names no day: {LIKE}"),
        ("every", "moonday 09:00", f"'moonday 09:00': 'moonday' is not a day: {LIKE}"),
        ("every", "monday 25:00", "'25:00' is not a time of day: write it like 09:00 or 17:30"),
        ("every", "5 hours", "'5 hours' does not come at even distances: every 1, 2, 3, 4, 6, 8, 12 hours does"),
        ("every", "two hours", f"'two hours' is not a rhythm: {LIKE}"),
        ("blackout", "[christmas]", "'christmas' is not a date: write 2025-08-15, or 2025-12-24..2026-01-02"),
        ("blackout", "[2026-01-02..2025-12-24]", "'2026-01-02..2025-12-24' ends before it begins"),
        (
            "blackout",
            "[2025-01-01..2035-01-01]",
            "'2025-01-01..2035-01-01' is longer than a year: a channel without a schedule speaks by hand only",
        ),
        ("blackout", "2025-08-15", "expected a list, such as [a, b], got '2025-08-15'"),
        ("quiet", "night", "'night' is not a span of hours: write it like 22:00-07:00"),
        ("quiet", "22-7", "'22' is not a time of day: write it like 09:00 or 17:30"),
        ("quiet", "07:00-07:00", "'07:00-07:00' leaves no hour of the day, or none out"),
        ("on", "publsh", "expected publish, got 'publsh', did you mean 'publish'?"),
    ],
)  # fmt: skip
def test_a_slip_says_what_to_write(changed: Changed, key: str, written: str, message: str) -> None:
    schedule = f"{key}: {written}" if key in {"every", "on"} else f"{POSTS}, {key}: {written}"
    (line,) = lines(changed((POSTS, schedule)))
    place, _, said = line.partition(": channels.linkedin.schedule.")
    assert place.startswith("config/syndicate.yaml:35:")
    assert said.partition(": ")[2] == message


def test_a_schedule_says_one_thing(changed: Changed) -> None:
    assert lines(changed((POSTS, f"{POSTS}, every: day 09:00"))) == [
        "config/syndicate.yaml:35:43: channels.linkedin.schedule.every: 'cron' says already when; keep one of them"
    ]
    assert lines(changed((POSTS, "timezone: UTC"))) == [
        "config/syndicate.yaml:35:5: channels.linkedin.schedule: one of the keys 'cron', 'every' and 'on' is missing"
    ]


def test_a_digest_cannot_wait_for_a_publish_date(changed: Changed) -> None:
    (line,) = lines(changed((DIGEST, "on: publish")))
    place, _, said = line.partition(" channels.weekly-digest.schedule.on: ")
    assert place == "config/syndicate.yaml:28:16:"
    assert said == "a digest gathers many articles and has no publish date of its own"


def schedule_of(loaded: Loaded) -> Schedule:
    assert loaded.problems == ()
    assert loaded.settings is not None
    return loaded.settings.channels["linkedin"].schedule


def test_what_is_written_is_what_is_meant(changed: Changed) -> None:
    found = schedule_of(
        changed((POSTS, "every: weekday 10:30, blackout: [2025-08-15, 2025-12-24..2026-01-02], quiet: 22:00-24:00"))
    )
    assert (found.cron, found.zone, found.on_publish) == ("30 10 * * MON-FRI", "Asia/Kolkata", False)
    assert found.blackout == ((date(2025, 8, 15),) * 2, (date(2025, 12, 24), date(2026, 1, 2)))
    assert found.quiet == (time(22), time(0))


def test_a_publish_date_without_a_time_has_its_whole_day(changed: Changed) -> None:
    assert schedule_of(changed((POSTS, "on: publish"))).late.grace == timedelta(days=1)
    assert schedule_of(changed((POSTS, "on: publish, late: {grace: 2h}"))).late.grace == timedelta(hours=2)
    assert schedule_of(changed()).late.grace == timedelta(hours=6)


@pytest.mark.parametrize(
    "written",
    [
        "on: publish, quiet: 22:00-07:00",
        "every: 2 hours, timezone: Europe/Berlin, blackout: [2025-08-15, 2025-12-24..2026-01-02], late: {then: ask}",
    ],
)
def test_what_is_shown_loads_again_and_means_the_same(changed: Changed, write: Write, written: str) -> None:
    settings = changed((POSTS, written)).settings
    assert settings is not None
    again = load(write(as_yaml(settings)), cache=False)
    assert again.problems == ()
    assert again.settings == settings


def test_the_schedules_of_the_readme_load(root: Path, write: Write, starter: str) -> None:
    section = (root / "README.md").read_text("utf-8").partition("## Unattended")[2]
    blocks = section.partition("```yaml\n")[2].partition("```")[0].split("schedule:")[1:]
    assert len(blocks) == 3
    for block in blocks:
        indented = block.rstrip().replace("\n", "\n    ")
        loaded = load(write(starter.replace(f"schedule: {{{POSTS}}}", f"schedule:{indented}")), cache=False)
        assert lines(loaded) == []
