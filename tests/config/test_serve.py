"""The public pages and the keys of links, as the configuration has them."""

import pytest

from syndicate.app import assemble
from syndicate.config.load import Loaded, load
from syndicate.config.plain import build, plain
from syndicate.config.settings import LOOPBACK, Serve
from tests.project import Project

AUDIENCES = "audiences:\n"
MEMBERS = "audiences:\n  members: {list: weekly}\n"
CHANNEL = "audience: readers\n"


def loaded(project: Project, *changes: tuple[str, str]) -> Loaded:
    project.configure(*changes)
    return load(project.folder / "config" / "syndicate.yaml", cache=False)


def served(project: Project, block: str) -> Loaded:
    return loaded(project, (AUDIENCES, MEMBERS), (CHANNEL, "audience: members\n"),
                  ("channels:\n", f"{block}\nchannels:\n"))  # fmt: skip


def test_without_the_block_letters_link_to_no_page_but_one(project: Project) -> None:
    settings = loaded(project).settings
    assert settings is not None
    assert settings.serve is None
    assert not settings.publication.pages


def test_the_block_is_in_force_and_comes_back_as_it_was(project: Project) -> None:
    block = "serve: {lists: {weekly: Each Monday}, proxies: [10.0.0.0/8], hosts: [News.Example.org], metrics: ['::1']}"
    settings = served(project, block).settings
    assert settings is not None
    assert settings.serve == Serve({"weekly": "Each Monday"}, ("10.0.0.0/8",), ("news.example.org",), ("::1",))
    assert settings.publication.pages
    assert build(plain(settings), settings.root) == settings


def test_an_empty_block_has_every_default(project: Project) -> None:
    settings = loaded(project, ("channels:\n", "serve: {}\nchannels:\n")).settings
    assert settings is not None
    assert settings.serve == Serve({}, LOOPBACK, (), LOOPBACK)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("serve: {lists: {weakly: Each Monday}}", "no channel sends to a list 'weakly', did you mean 'weekly'?"),
        ("serve: {lists: {readers: Each Monday}}", "no channel sends to a list 'readers'"),
        ("serve: {lists: {weekly: ''}}", "must not be empty"),
        ("serve: {proxies: [proxy.example.org]}", "is not an address or network such as 10.0.0.7"),
        ("serve: {proxies: [10.0.0.1/8]}", "is not an address or network"),
        ("serve: {hosts: ['https://news.example.org']}", "is not the name of a host"),
        ("serve: {prots: []}", "prots"),
    ],
)
def test_a_mistake_is_named_with_its_line(project: Project, block: str, message: str) -> None:
    found = served(project, block)
    assert found.settings is None
    assert any(message in problem.message for problem in found.problems), found.problems
    line = next(number for number, text in enumerate(found.text.splitlines(), 1) if text.startswith("serve:"))
    assert {problem.line for problem in found.problems} == {line}


def test_a_list_of_keys_signs_with_the_first_and_knows_all(project: Project) -> None:
    var = project.folder / "var"
    var.mkdir()
    for name in ("new", "old"):
        (var / name).write_text(f"the {name} key, which is long enough\n", "utf-8")
        (var / name).chmod(0o600)
    project.configure(("channels:\n", 'secret: ["${file:var/new}", "${file:var/old}"]\nchannels:\n'))
    app = assemble(project.folder / "config" / "syndicate.yaml")
    assert app.secret() == b"the new key, which is long enough"
    assert app.secrets() == (app.secret(), b"the old key, which is long enough")
    assert build(plain(app.settings), app.root) == app.settings


@pytest.mark.parametrize("secret", ["[]", "[short]", "['${file:var/secret}', short]"])
def test_a_key_that_can_be_guessed_is_refused_and_not_shown(project: Project, secret: str) -> None:
    found = loaded(project, ("channels:\n", f"secret: {secret}\nchannels:\n"))
    assert found.settings is None
    assert all("short" not in problem.message.replace("shorter", "") for problem in found.problems)


def test_an_old_key_in_the_file_itself_is_a_warning(project: Project) -> None:
    literal = "a literal key that is long enough"
    found = loaded(project, ("channels:\n", f"secret: ['${{file:var/secret}}', {literal}]\nchannels:\n"))
    assert found.settings is not None
    assert [problem for problem in found.problems if "a secret stands in the file" in problem.message]
    assert literal not in str(found.problems)
