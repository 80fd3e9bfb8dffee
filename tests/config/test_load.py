"""From the file to settings: defaults, positions, an adapter's options, the cache."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from syndicate.config import durations
from syndicate.config.load import Loaded, load, validate
from syndicate.config.plain import build, plain
from syndicate.config.settings import Mode
from syndicate.model import Kind
from tests.config.conftest import Write, lines

Changed = Callable[..., Loaded]
FILE = "config/syndicate.yaml"

SMALLEST = """
publication: {name: 2001, url: https://example.org/, sender: {name: N, email: News@EXAMPLE.org, postal_address: Here}}
content: {folders: [texts, /srv/texts]}
accounts: {out: {adapter: file}}
audiences: {all: {csv: all.csv}}
channels:
  letter: {kind: digest, account: out, audience: all}
  posts: {kind: post, account: out}
"""


def test_the_starter_loads_without_any_problem(root: Path) -> None:
    loaded = load(root / FILE, cache=False)
    assert loaded.problems == ()
    assert loaded.settings is not None
    assert list(loaded.settings.channels) == ["weekly-digest", "linkedin"]
    assert loaded.settings.root == root


def test_the_starter_says_what_the_design_says(root: Path) -> None:
    settings = load(root / FILE, cache=False).settings
    assert settings is not None
    digest, posts = settings.channels.values()
    assert (digest.kind, digest.audience, digest.template) == (Kind.DIGEST, "readers", "digest")
    assert (digest.schedule.cron, digest.schedule.zone) == ("0 9 * * MON", "Asia/Kolkata")
    assert (digest.schedule.late.grace, digest.schedule.late.then) == (timedelta(hours=6), "skip")
    assert (digest.select.max, digest.select.order, digest.select.lookback) == (10, "newest", None)
    assert (posts.kind, posts.select.max, posts.select.order) == (Kind.POST, 2, "oldest")
    assert settings.accounts["outbox"].options == {"folder": "outbox"}
    assert settings.audiences["readers"].csv == Path("config/readers.csv")
    assert settings.publication.sender.address == "news@example.com"


def test_what_is_not_said_has_a_default(write: Write) -> None:
    settings = load(write(SMALLEST), cache=False).settings
    assert settings is not None
    assert settings.mode is Mode.REHEARSAL
    assert (settings.database, settings.secret) == ("sqlite:///var/syndicate.db", "${file:var/secret}")
    assert (settings.templates, settings.folders) == (Path("templates"), (Path("texts"), Path("/srv/texts")))
    assert settings.publication.links == "https://example.org"
    assert settings.publication.reply_to == ""
    letter, posts = settings.channels["letter"], settings.channels["posts"]
    assert (letter.template, letter.select.max, letter.select.lookback) == ("digest", 10, timedelta(days=30))
    assert (posts.template, posts.select.max) == ("file", 1)
    assert (letter.schedule.cron, letter.schedule.zone) == ("", "UTC")
    assert (letter.approval, letter.unknown) == ("none", "hold")


def test_text_may_be_written_as_a_number_and_an_address_gets_a_small_domain(write: Write) -> None:
    settings = load(write(SMALLEST), cache=False).settings
    assert settings is not None
    assert settings.publication.name == "2001"
    assert settings.publication.sender.address == "News@example.org"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("017", "017"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("no", "no"),
        (".inf", ".inf"),
        ("12:30:45", "12:30:45"),
        ("1e999", "1e999"),
        ("2025-03-10", "2025-03-10"),
        ("587", 587),
        ("0.5", 0.5),
        ("true", True),
        ("'true'", "true"),
        ("~", None),
    ],
)
def test_an_option_is_what_was_written(changed: Changed, written: str, read: Any) -> None:
    settings = changed(("folder: outbox", f"extra: {written}")).settings
    assert settings is not None
    assert settings.accounts["outbox"].options == {"extra": read}


def test_an_anchor_can_be_used_twice(changed: Changed) -> None:
    loaded = changed(
        ("select: {max: 10, min: 1", "select: &s {max: 3, min: 2"),
        ("select: {max: 2, order: oldest, lookback: all}", "select: *s"),
    )
    assert loaded.settings is not None
    assert loaded.settings.channels["linkedin"].select.min == 2


def test_a_configuration_outside_of_a_config_folder_has_its_project_around_it(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(SMALLEST)
    loaded = load(path, cache=False)
    assert loaded.settings is not None
    assert (loaded.settings.root, loaded.shown) == (tmp_path, "other.yaml")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("45m", timedelta(minutes=45)),
        ("6h", timedelta(hours=6)),
        ("30d", timedelta(days=30)),
        ("1w", timedelta(weeks=1)),
        ("90s", timedelta(seconds=90)),
        ("PT6H", timedelta(hours=6)),
        ("P30D", timedelta(days=30)),
        ("P1DT12H30M", timedelta(hours=36, minutes=30)),
        ("P2W", timedelta(weeks=2)),
        (" 6 H ", timedelta(hours=6)),
    ],
)
def test_a_length_of_time_is_read(text: str, length: timedelta) -> None:
    assert durations.parse(text) == length


@pytest.mark.parametrize("text", ["", "P", "PT", "-6h", "6", "6 months", "P1M", "1.5h", "6h30m", "٦h", "9" * 400 + "w"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        durations.parse(text)


@given(st.integers(0, durations.LONGEST))
def test_a_length_of_time_survives_writing(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert durations.parse(durations.write(length)) == length


def test_a_position_is_that_of_the_value_or_of_the_nearest_key(root: Path) -> None:
    loaded = load(root / FILE, cache=False)
    assert loaded.position(("publication", "name")) == (5, 9)
    assert loaded.position(("channels", "weekly-digest", "select", "max")) == (29, 19)
    assert loaded.position(("content", "folders", "0")) == (14, 20 + 1)
    assert loaded.position(("accounts", "outbox", "port")) == (17, 3)
    assert loaded.position(("nothing", "here")) == (1, 1)


class Tls(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: Literal["required", "none"] = "required"


class Options(BaseModel):
    """What an adapter may declare."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(description="name of the server")
    port: int = Field(default=587, ge=1, le=65535)
    ratio: float | None = None
    password: SecretStr | None = None
    pin: SecretStr | None = None
    tls: Tls = Tls()
    hosts: list[int | str] = []

    @field_validator("host")
    @classmethod
    def _host(cls, host: str) -> str:
        if " " in host:
            raise ValueError(f"{host!r} has a blank")
        return host


def options(write: Write, text: str, resolved: dict[str, Any] | None = None) -> tuple[Options | None, list[str]]:
    """An account's options checked as the app does it: in the file as written, in hand as resolved."""
    loaded = load(write(SMALLEST.replace("{adapter: file}", f"{{adapter: x, {text}}}")), cache=False)
    assert loaded.settings is not None
    found, problems = validate(
        Options, {**loaded.settings.accounts["out"].options, **(resolved or {})}, "accounts.out", loaded
    )
    return found, [f"{problem.where}: {problem.message}" for problem in problems]


def test_options_that_are_right_become_the_adapters_own(write: Write) -> None:
    found, problems = options(write, 'host: h, port: 25, password: "${env:P}"')
    assert problems == []
    assert found is not None
    assert (found.host, found.port) == ("h", 25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host: h, prot: 25", "4:39: accounts.out: unknown key 'prot', did you mean 'port'?"),
        ("port: 25", "4:12: accounts.out: the key 'host' is missing"),
        ("host: h, port: x", "4:45: accounts.out.port: expected a whole number, got 'x'"),
        ("host: h, port: 99999", "4:45: accounts.out.port: must be at most 65535, got 99999"),
        ("host: h, port: true", "4:45: accounts.out.port: expected a whole number, got true"),
        ("host: h, ratio: true", "4:46: accounts.out.ratio: expected a number, got true"),
        ("host: 'a b'", "4:36: accounts.out.host: 'a b' has a blank"),
        ("host: h, tls: {mod: none}", "4:45: accounts.out.tls: unknown key 'mod', did you mean 'mode'?"),
        ("host: h, tls: {mode: 1}", "4:51: accounts.out.tls.mode: expected required or none, got 1"),
        ("host: h, hosts: [1, [2]]", "4:50: accounts.out.hosts[1]: expected a whole number, got a list"),
    ],
)
def test_a_mistake_in_options_is_told_as_in_all_else(write: Write, text: str, message: str) -> None:
    found, problems = options(write, text)
    assert found is None
    assert f"{FILE}:{message}" in problems


def test_a_resolved_reference_never_shows_its_value(write: Write) -> None:
    _, problems = options(write, 'host: "${env:H}", port: "${env:N}"', {"host": "hunter 2", "port": "hunter3"})
    assert problems == [
        f"{FILE}:4:36: accounts.out.host: a value that is not shown has a blank",
        f"{FILE}:4:54: accounts.out.port: expected a whole number, got ${{env:N}}",
    ]


def test_a_secret_of_the_wrong_kind_is_not_shown(write: Write) -> None:
    found, problems = options(write, "host: h, pin: 4711, password: [hunter2]")
    assert found is None
    assert problems[:2] == [
        f"{FILE}:4:60: accounts.out.password: expected text, got a value that is not shown",
        f"{FILE}:4:44: accounts.out.pin: expected text, got a value that is not shown",
    ]
    assert "4711" not in str(problems)


def test_a_literal_in_an_option_that_the_adapter_calls_secret_is_a_warning(write: Write) -> None:
    found, problems = options(write, "host: h, pin: hunter2")
    assert found is not None
    assert problems == [f"{FILE}:4:44: accounts.out.pin: a secret stands in the file, where others may read it"]


def test_a_warm_start_gives_the_same_settings_and_loads_no_library(write: Write, starter: str) -> None:
    path = write(starter)
    cold = load(path).settings
    code = (
        "import sys, pathlib; from syndicate.config.load import load; from syndicate.config.plain import plain;"
        "import json; print(json.dumps(plain(load(pathlib.Path(sys.argv[1])).settings)));"
        "print([name for name in ('pydantic', 'ruamel.yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    settings, modules = done.stdout.splitlines()
    assert cold is not None
    assert json.loads(settings) == plain(cold)
    assert modules == "[]"


def test_settings_survive_the_way_to_plain_values_and_back(write: Write) -> None:
    settings = load(write(SMALLEST), cache=False).settings
    assert settings is not None
    assert build(json.loads(json.dumps(plain(settings))), settings.root) == settings


def cache_file(path: Path) -> Path:
    return path.parent.parent / "var" / "cache" / "config.json"


def test_a_changed_file_is_read_again(write: Write) -> None:
    first = load(write(SMALLEST)).settings
    second = load(write(SMALLEST.replace("adapter: file", "adapter: smtp"))).settings
    assert first is not None
    assert second is not None
    assert (first.accounts["out"].adapter, second.accounts["out"].adapter) == ("file", "smtp")


@pytest.mark.parametrize("rubbish", [b"", b"{", b"[]", b"\xff", b'{"key": 1}', b"[" * 100_000])
def test_a_broken_cache_is_as_good_as_none(write: Write, rubbish: bytes) -> None:
    path = write(SMALLEST)
    settings = load(path).settings
    cache_file(path).write_bytes(rubbish)
    assert load(path).settings == settings


def test_a_cache_with_other_keys_than_ours_is_as_good_as_none(write: Write) -> None:
    path = write(SMALLEST)
    settings = load(path).settings
    kept = json.loads(cache_file(path).read_text())
    parts: list[Any] = [{}, {"publication": []}, None]
    for part in parts:
        cache_file(path).write_text(json.dumps({**kept, "settings": part}))
        assert load(path).settings == settings


def test_a_disk_that_cannot_be_written_is_no_error(write: Write) -> None:
    path = write(SMALLEST)
    (path.parent.parent / "var").write_text("in the way")
    assert load(path).problems == ()


def test_a_configuration_with_a_problem_or_a_secret_is_not_kept(write: Write) -> None:
    path = write(SMALLEST.replace("{adapter: file}", "{adapter: x, password: hunter2}"))
    assert load(path).settings is not None
    assert not cache_file(path).exists()
    assert len(load(path).problems) == 1


def test_only_its_owner_reads_the_cache_and_nothing_else_is_left_beside_it(write: Write) -> None:
    path = write(SMALLEST)
    load(path)
    assert cache_file(path).stat().st_mode & 0o077 == 0
    assert [entry.name for entry in cache_file(path).parent.iterdir()] == ["config.json"]


def test_an_exposed_secret_file_is_told_on_a_warm_start_too(write: Write) -> None:
    path = write(SMALLEST.replace("{adapter: file}", '{adapter: x, password: "${file:pw}"}'))
    secret = path.parent.parent / "pw"
    assert load(path).problems == ()
    secret.write_text("hunter2")
    secret.chmod(0o644)
    assert lines(load(path)) == [
        f"{FILE}:4:40: accounts.out.password: other users of this machine can read the secret file pw"
    ]
    secret.chmod(0o600)
    assert load(path).problems == ()


MARKS = "\n\n  :-[]{}&*!|>'\"%@`#,?\t\\\0\r\x85\u2028\ud800é~"
WORDS = [
    "\n  ",
    ": ",
    "- ",
    "publication",
    "channels",
    "&x ",
    "*x",
    "<<",
    "!!int ",
    "---\n",
    "%YAML 1.1\n",
    "${env:X}",
    "kind",
]
PIECES = st.sampled_from([*MARKS, *WORDS])
YAMLISH = st.lists(PIECES, max_size=40).map("".join)
TEXTS = st.one_of(
    YAMLISH.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=60).map(lambda text: text.encode()),
    st.binary(max_size=60),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=TEXTS)
def test_no_content_whatever_raises(write: Write, content: bytes) -> None:
    loaded = load(write(content), cache=False)
    assert loaded.settings is None
    assert loaded.problems
    assert all(problem.message and str(problem).encode() for problem in loaded.problems)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text("ab ${}:/@.-0", max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abmax_", max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = [
    "name",
    "url",
    "language",
    "timezone",
    "sender",
    "linkedin",
    "mode",
    "database",
    "content",
    "folders",
    "accounts",
    "adapter",
    "outbox",
    "audiences",
    "csv",
    "channels",
    "kind",
    "account",
    "audience",
    "template",
    "schedule",
    "cron",
    "late",
    "grace",
    "select",
    "max",
    "min",
    "order",
    "lookback",
    "tags",
    "approval",
]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(KEYS), value=VALUES)
def test_no_value_whatever_raises_and_each_problem_has_a_place(
    write: Write, starter: str, key: str, value: Any
) -> None:
    before, _, rest = starter.partition(f"{key}:")
    text = f"{before}{key}: {json.dumps(value)}\n{rest[rest.index(chr(10)) :]}"
    loaded = load(write(text), cache=False)
    assert (loaded.settings is None) == any(problem.severity == "error" for problem in loaded.problems)
    assert all(problem.line and problem.column for problem in loaded.problems)


def test_linkedin_wants_approval_and_the_operator_has_an_address(write: Write) -> None:
    text = SMALLEST.replace(
        "accounts: {out: {adapter: file}}", "accounts: {out: {adapter: file}, page: {adapter: linkedin}}"
    )
    text += "  page: {kind: post, account: page}\n  open: {kind: post, account: page, approval: none}\n"
    settings = load(write(f"{text}operator: {{account: out}}\n"), cache=False).settings
    assert settings is not None
    assert {name: channel.approval for name, channel in settings.channels.items()} == {
        "letter": "none",
        "posts": "none",
        "page": "required",
        "open": "none",
    }
    assert settings.operator is not None
    assert (settings.operator.account, settings.operator.to) == ("out", "News@example.org")
    assert build(plain(settings), settings.root) == settings
