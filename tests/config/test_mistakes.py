"""What the author of a configuration is told: where, what, and what was probably meant."""

# ruff: noqa: E501  (a row of a table is one line, so that old, new, place and message can be compared)

from collections.abc import Callable
from pathlib import Path

import pytest

from syndicate.config.load import Loaded, load
from syndicate.model import Severity
from tests.config.conftest import Write, lines

Changed = Callable[..., Loaded]
FILE = "config/syndicate.yaml"

#: (piece of the starter, what stands there instead, place, message)
VALUES = [
    ("template: digest", "templte: digest", "27:5", "channels.weekly-digest: unknown key 'templte', did you mean 'template'?"),
    ("grace: 6h", "grase: 6h", "28:44", "channels.weekly-digest.schedule.late: unknown key 'grase', did you mean 'grace'?"),
    ("mode: rehearsal", "mood: rehearsal", "12:1", "unknown key 'mood', did you mean 'mode'?"),
    ("max: 10", "max: ten", "29:19", "channels.weekly-digest.select.max: expected a whole number, got 'ten'"),
    ("max: 10", "max: 10.5", "29:19", "channels.weekly-digest.select.max: expected a whole number, got 10.5"),
    ("max: 10", "max: true", "29:19", "channels.weekly-digest.select.max: expected a whole number, got true"),
    ("max: 10", "max: 0", "29:19", "channels.weekly-digest.select.max: must be at least 1, got 0"),
    ("max: 10", "max: [1]", "29:19", "channels.weekly-digest.select.max: expected a whole number, got a list"),
    ("min: 1", "min: 11", "29:28", "channels.weekly-digest.select.min: at least 11 articles are wanted and at most 10 taken: no edition could be made"),
    ("kind: digest", "kind: digset", "24:11", "channels.weekly-digest.kind: expected digest or post, got 'digset', did you mean 'digest'?"),
    ("order: newest", "order: random", "29:38", "channels.weekly-digest.select.order: expected newest or oldest, got 'random'"),
    ("account: outbox", "account: outbx", "25:14", "channels.weekly-digest.account: there is no account 'outbx', did you mean 'outbox'?"),
    ("audience: readers", "audience: nobody", "26:15", "channels.weekly-digest.audience: there is no audience 'nobody'"),
    ("    audience: readers\n", "", "23:3", "channels.weekly-digest: a digest needs the key 'audience'"),
    ("template: digest", "template: ../../etc/passwd", "27:15", "channels.weekly-digest.template: '../../etc/passwd' is not a name: use letters, digits, - and _, at most 64"),
    ("lookback: all", "lookback: 30", "29:56", "channels.weekly-digest.select.lookback: '30' has no unit: write it like 45m, 6h, 30d or 1w"),
    ("lookback: all", "lookback: ever", "29:56", "channels.weekly-digest.select.lookback: 'ever' is not a length of time: write it like 45m, 6h, 30d or 1w"),
    ("lookback: all", "lookback: 0d", "29:56", "channels.weekly-digest.select.lookback: must be longer than nothing; `all` means any age"),
    ("lookback: all", "lookback: [30d]", "29:56", "channels.weekly-digest.select.lookback: expected a length of time: write it like 45m, 6h, 30d or 1w"),
    ("grace: 6h", "grace: P1Y", "28:51", "channels.weekly-digest.schedule.late.grace: 'P1Y' is not a length of time: write it like 45m, 6h, 30d or 1w"),
    ("grace: 6h", "grace: 9999999w", "28:51", "channels.weekly-digest.schedule.late.grace: '9999999w' is longer than 100 years"),
    ("0 9 * * MON", "61 9 * * MON", "28:22", "channels.weekly-digest.schedule.cron: minute: '61' is not 0-59"),
    ("0 9 * * MON", "0 9 * * FOO", "28:22", "channels.weekly-digest.schedule.cron: day of week: 'FOO' is not 0-7 or sun-sat"),
    ("0 9 * * MON", "*/0 9 * * MON", "28:22", "channels.weekly-digest.schedule.cron: minute: the step in '*/0' is not a whole number above 0"),
    ("0 9 * * MON", "* * * * * * *", "28:22", "channels.weekly-digest.schedule.cron: a schedule has five fields (minute hour day month weekday), '* * * * * * *' has 7"),
    ("0 9 * * MON", "0 0 31 2 *", "28:22", "channels.weekly-digest.schedule.cron: '0 0 31 2 *' never comes: there is no such day"),
    ("Asia/Kolkata", "Asia/Kolkatta", "8:13", "publication.timezone: 'Asia/Kolkatta' is not a time zone, did you mean 'Asia/Kolkata'?"),
    ("Asia/Kolkata", "UTC+25", "8:13", "publication.timezone: 'UTC+25' is not a time zone, did you mean 'UTC'?"),
    ("Asia/Kolkata", "../../etc/passwd", "8:13", "publication.timezone: '../../etc/passwd' is not a time zone: write it like Europe/Berlin or UTC"),
    ("language: en", "language: english", "7:13", "publication.language: 'english' is not a language tag such as en, pt-BR or zh-Hant"),
    ("url: https://magick.ai", "url: magick.ai", "6:8", "publication.url: 'magick.ai' is not a URL that starts with https://"),
    ("url: https://magick.ai", "url: https://a:b@magick.ai", "6:8", "publication.url: 'https://a:b@magick.ai' is not the address of a page: https://host/path"),
    ("url: https://magick.ai", 'url: "https://magick.ai/\\r\\nX: y"', "6:8", "publication.url: a URL has no blanks, line breaks or letters beyond ASCII: write those as %20 and the like"),
    ("url: https://magick.ai", "url: https://magick.ai:99999", "6:8", "publication.url: 'https://magick.ai:99999' is not a URL: Port out of range 0-65535"),
    ("language: en\n", "language: en\n  links: http://magick.ai\n", "8:10", "publication.links: must start with https://, else mail programs offer no one-click unsubscribing (RFC 8058)"),
    ("language: en\n", "language: en\n  links: https://magick.ai/?a=b\n", "8:10", "publication.links: must end with its path: the links are made by adding to it"),
    ("news@example.com", '"a@x.test, b@x.test"', "9:36", "publication.sender.email: 'a@x.test, b@x.test' is not an e-mail address: there is more than one @"),
    ("news@example.com", "news", "9:36", "publication.sender.email: 'news' is not an e-mail address: the @ is missing"),
    ("name: Magick AI,", 'name: "=?utf-8?q?x=0d=0aBcc:v@x.test?=",', "9:18", "publication.sender.name: must be one line of plain text, without control characters and without `=?`"),
    ("name: Magick AI Dispatch", 'name: "a\\nb"', "5:9", "publication.name: must be one line of plain text, without control characters and without `=?`"),
    ("name: Magick AI Dispatch", "name: true", "5:9", "publication.name: expected text, got true"),
    ("  name: Magick AI Dispatch\n", "", "4:1", "publication: the key 'name' is missing"),
    ("mode: rehearsal", "mode:", "12:1", "mode: expected rehearsal or live, got nothing"),
    ("sqlite:///var/syndicate.db", "mysql://h/db", "13:11", "database: must start with sqlite:/// or postgresql://"),
    ("sqlite:///var/syndicate.db", "'sqlite:///:memory:'", "13:11", "database: must name a file, such as sqlite:///var/syndicate.db: what was sent has to be remembered"),
    ("sqlite:///var/syndicate.db", "sqlite:////proc/self/mem", "13:11", "database: must name a file, such as sqlite:///var/syndicate.db: what was sent has to be remembered"),
    ("sqlite:///var/syndicate.db", "postgresql://h/db?options=-c%20synchronous_commit=off", "13:11", "database: must not weaken synchronous_commit: a crash would forget what was sent"),
    ("folders: [seeds]", "folders: seeds", "14:20", "content.folders: expected a list, such as [a, b], got 'seeds'"),
    ("folders: [seeds]", "folders: []", "14:20", "content.folders: must not be empty"),
    ("folders: [seeds]", "folders: [a, {b: c}]", "14:24", "content.folders[1]: expected text, got keys with values"),
    ("{csv: config/readers.csv}", "config/readers.csv", "20:12", "audiences.readers: expected keys with values, got 'config/readers.csv'"),
    ("database:", "secret: short\ndatabase:", "13:9", "secret: must have at least 16 bytes, so that nobody can guess unsubscribe links"),
    ("  outbox: {adapter", "  out box: {adapter", "17:3", "accounts.out box: 'out box' is not a name: use letters, digits, - and _, at most 64"),
    ("{adapter: file, folder", "{folder", "17:3", "accounts.outbox: the key 'adapter' is missing"),
    ("approval: none", "kind: post", "30:5", "channels.weekly-digest.kind: the key stands twice, first in line 24"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "place", "message"), VALUES, ids=[f"{new[:40]}" for _, new, _, _ in VALUES])
def test_a_mistake_is_told_with_its_line_and_column(
    changed: Changed, old: str, new: str, place: str, message: str
) -> None:
    loaded = changed((old, new))
    assert f"{FILE}:{place}: {message}" in lines(loaded)
    assert loaded.settings is None


#: (whole file, place, message)
NOTATION = [
    ("", "", "the file is empty"),
    ("# only a remark\n", "", "the file is empty"),
    ("- a\n- b\n", ":1:1", "the file has to consist of keys with values, such as `mode: rehearsal`"),
    ("just text", ":1:1", "the file has to consist of keys with values, such as `mode: rehearsal`"),
    ("a:\n\tb: 1\n", ":2:1", "a tab cannot stand here"),
    ("a: 'x\nb: 1\n", ":1:4", "the quote is not closed"),
    ("a: [1\nb: 1\n", ":1:4", "[ … ] is not closed, or lacks a comma"),
    ("a: {p: ${env:X}}\n", ":1:9", "{ … } is not closed, or lacks a comma"),
    ("a: b: c\n", ":1:5", "a colon where none can be"),
    ("a: 1\n b: 2\n", ":2:3", "a colon where none can be"),
    ("cron: @daily\n", ":1:7", "a value without quotes cannot start with '@'"),
    ("a: *x\n", ":1:4", "no anchor of this name stands before the alias"),
    ("a: &x [*x]\n", ":1:4", "too many values, or nested too deep: does an alias contain itself?"),
    ("a: 1\n---\nb: 2\n", ":2:1", "a second document starts here"),
    ('a: "\\q"\n', ":1:6", "a backslash within double quotes starts an escape that does not exist"),
    ("a: \x07\n", ":1:4", "the character U+0007 cannot stand in YAML"),
    ("a: 1\nb\0: \n", ":2:2", "the character U+0000 cannot stand in YAML"),
    ("<<: {a: 1}\n", ":1:1", "a key has to be one word"),
    ("? [a]\n: 1\n", ":1:3", "a key has to be one word"),
    ("- " * 5000, "", "the values are nested too deep"),
    (b"a: \xe9\n", ":1:4", "the byte 0xE9 is not UTF-8"),
    ("mode: é".encode("utf-16"), "", "the file is UTF-16"),
    ("a: 1\n" * 100_000, "", "the file has more than 400,000 characters"),
]


@pytest.mark.parametrize(("content", "place", "message"), NOTATION, ids=[message[:50] for *_, message in NOTATION])
def test_broken_notation_is_one_problem(write: Write, content: str | bytes, place: str, message: str) -> None:
    loaded = load(write(content))
    assert lines(loaded) == [f"{FILE}{place}: {message}"]
    assert loaded.settings is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('mode: "\\ud800"\n', f"{FILE}:1:7: half of a character (\\ud800 to \\udfff) cannot be text"),
        ("mode: !shout live\n", f"{FILE}:1:7: the tag !shout means nothing here"),
    ],
)
def test_odd_notation_is_told_beside_all_else(write: Write, content: str, message: str) -> None:
    assert message in lines(load(write(content)))


def test_ten_lines_of_aliases_do_not_become_a_billion_values(write: Write) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "does an alias contain itself?" in lines(load(write(bomb)))[0]


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(changed: Changed) -> None:
    loaded = changed(
        ("language: en", "language: english"),
        ("mode: rehearsal", "mode: lve"),
        ("account: outbox", "account: outbx"),
        ("template: digest", "templte: digest"),
        ("max: 10", "max: ten"),
        ('cron: "30 10', 'cron: "30 25'),
    )
    assert [problem.where for problem in loaded.problems] == [
        f"{FILE}:{place}" for place in ("7:13", "12:7", "25:14", "27:5", "29:19", "35:22")
    ]


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    (problem,) = load(tmp_path / "config" / "syndicate.yaml").problems
    assert (problem.where, problem.message) == (FILE, "there is no such file")
    assert "syndicate init" in problem.hint


def test_a_folder_a_device_and_an_impossible_name_are_not_read(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "a\0b"):
        loaded = load(path)
        assert loaded.settings is None
        assert [problem.code for problem in loaded.problems] == ["config.unreadable"]


def test_a_byte_order_mark_is_no_part_of_the_first_key(write: Write, starter: str) -> None:
    assert load(write("\ufeff" + starter), cache=False).problems == ()


def test_windows_line_ends_keep_their_positions(write: Write, starter: str) -> None:
    text = starter.replace("max: 10", "max: ten").replace("\n", "\r\n")
    assert lines(load(write(text)))[0].startswith(f"{FILE}:29:19: ")


def test_an_unknown_key_far_from_all_others_gets_the_list_of_them(changed: Changed) -> None:
    (problem,) = changed(("mode: rehearsal", "zzz: 1")).problems
    assert problem.hint == (
        "Known keys: publication, mode, database, secret, content, templates, accounts, audiences, feedback, operator, serve, channels."
    )


def test_a_missing_key_is_explained(changed: Changed) -> None:
    (problem,) = changed(("    kind: digest ", "    # kind: digest ")).problems
    assert problem.message == "channels.weekly-digest: the key 'kind' is missing"
    assert problem.hint.startswith("kind: digest: one mail about many articles")


@pytest.mark.parametrize(
    ("change", "place", "message"),
    [
        (("{adapter: file,", "{adapter: file, api_key: hunter2,"), "17:36", "accounts.outbox.api_key: a secret stands in the file, where others may read it"),
        (("sqlite:///var/syndicate.db", "postgresql://u:hunter2@h/db"), "13:11", "database: a password stands in the file, where others may read it"),
        (("database:", "secret: hunter2-hunter2-hunter2\ndatabase:"), "13:9", "secret: a secret stands in the file, where others may read it"),
        (("template: linkedin", "template: linkedin\n    audience: readers"), "35:5", "channels.linkedin.audience: a post goes to the account's own followers; the audience is not used"),
        (("template: linkedin", "template: linkedin\n    numbered: true"), "35:5", "channels.linkedin.numbered: only the posts of a thread are numbered, and the key 'thread' is missing"),
        (("    kind: digest ", "    thread: 5\n    kind: digest "), "24:5", "channels.weekly-digest.thread: only posts make threads; this is not used"),
        ((', postal_address: "Magick AI, 4th Floor, 12 Example Road, Hyderabad 500081, India"', ""), "9:3", "publication.sender: 'postal_address' is missing: many laws ask for a street address in each mail (CAN-SPAM §7704(a)(5))"),
        (("url: https:", "url: http:"), "6:8", "publication.url: unsubscribe links start with it, and mail programs want https:// there (RFC 8058)"),
    ],
)  # fmt: skip
def test_what_works_but_looks_wrong_is_a_warning(
    changed: Changed, change: tuple[str, str], place: str, message: str
) -> None:
    loaded = changed(change)
    assert lines(loaded) == [f"{FILE}:{place}: {message}"]
    assert loaded.problems[0].severity is Severity.WARNING
    assert loaded.settings is not None
    assert "hunter2" not in str(loaded.problems)
