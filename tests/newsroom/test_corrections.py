"""The text of a post that is out is put right, once, and the history says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from syndicate.testing import linkedin as fake
from syndicate.testing.http import Fault, Reply
from syndicate.testing.linkedin import FakeLinkedIn
from tests.project import MONDAY, Project, Said
from tests.signin.network import at, open_app, signed_in

ARTICLE = "000_b5ca7274b39b3a56.md"
KEY = "linkedin/the-rise-of-mlops-training-in-india-bridging-the-gap-between"


@pytest.fixture
def network(project: Project) -> Iterator[FakeLinkedIn]:
    """A LinkedIn with both articles of the starter on it."""
    with at(project, "linkedin") as running:
        signed_in(open_app(project), "linkedin")
        assert project.syndicate("run", "--once", "--at", MONDAY).status == 0
        running.journal.clear()
        yield running


def edit(project: Project, old: str, new: str) -> None:
    path = project.folder / "seeds" / ARTICLE
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def post(network: FakeLinkedIn) -> fake.Published:
    (found,) = [one for one in network.published if "India" in one.post["content"]["article"]["title"]]
    return found


def story(project: Project) -> list[tuple[str, str]]:
    lines: list[dict[str, Any]] = project.syndicate("why", KEY, "--json").json["story"]
    return [(line["what"], line["reason"]) for line in lines if not line["recipient"]]


def update(project: Project, *arguments: str) -> Said:
    return project.syndicate("editions", "update", KEY, "--yes", *arguments)


def test_nothing_is_asked_of_the_network_where_nothing_differs(project: Project, network: FakeLinkedIn) -> None:
    said = update(project)
    assert (said.status, said.out) == (0, "The network has this text already.\n")
    assert network.journal == []


def test_a_text_by_hand_takes_the_place_of_the_one_that_was_sent(project: Project, network: FakeLinkedIn) -> None:
    before = post(network)
    said = update(project, "--text", "Corrected (by hand) #AI", "--reason", "a wrong figure")
    assert said.status == 0, said.err
    assert "+Corrected (by hand) #AI" in said.out
    assert (post(network).text, post(network).post["content"]) == ("Corrected (by hand) #AI", before.post["content"])
    what, reason = story(project)[-1]
    assert what == "text corrected"
    assert reason.startswith("a wrong figure; 204; sha256 ")
    assert len(network.journal) == 1


def test_the_same_correction_again_is_known_to_be_there(project: Project, network: FakeLinkedIn) -> None:
    for _ in range(2):
        assert update(project, "--text", "Corrected").status == 0
    assert len(network.journal) == 1
    assert update(project).status == 0  # back to what the article says
    assert len(network.journal) == 2
    assert "MLOps" in post(network).text
    assert [what for what, _ in story(project)].count("text corrected") == 2


def test_what_is_mended_in_the_article_reaches_the_post_and_the_rest_is_named(
    project: Project, network: FakeLinkedIn
) -> None:
    edit(project, "Explore how India is revolutionizing MLOps training", "See how India has changed MLOps training")
    shown = project.syndicate("editions", "update", KEY, "--dry-run", "--json").json
    assert (shown["updated"], shown["stays"], network.journal) == (False, ["description"], [])
    said = project.syndicate("editions", "update", KEY, "--yes", "--json").json
    assert (said["updated"], said["text"], said["stays"]) == (True, shown["text"], shown["stays"])
    assert "See how India has changed" in post(network).text
    assert post(network).post["content"]["article"]["description"].startswith("Explore how India is")


def test_a_new_title_is_still_the_same_article(project: Project, network: FakeLinkedIn) -> None:
    edit(project, "The Rise of MLOps Training in India", "The Growth of MLOps Training in India")
    said = project.syndicate("editions", "update", KEY, "--yes", "--json").json
    assert said["updated"] is True
    assert "title" in said["stays"]
    assert "The Growth of MLOps Training" in post(network).text


def test_the_bytes_that_were_sent_are_kept(project: Project, network: FakeLinkedIn) -> None:
    before = project.syndicate("editions", "show", KEY, "--json").json["deliveries"]
    update(project, "--text", "Corrected")
    assert project.syndicate("editions", "show", KEY, "--json").json["deliveries"] == before


@pytest.mark.parametrize(
    ("fault", "words", "line"),
    [
        (Fault(then="close", apply=True), "nobody knows whether it was changed", "correction unknown"),
        (Fault(fake.EXPIRED), "was not changed: 401 EXPIRED_ACCESS_TOKEN", "correction refused"),
        (Fault(Reply(404, b'{"status":404,"message":"Post not found"}')), "404 Post not found", "correction refused"),
    ],
)
def test_a_correction_that_fails_says_so_and_can_be_made_again(
    project: Project, network: FakeLinkedIn, fault: Fault, words: str, line: str
) -> None:
    network.fault(fault)
    said = update(project, "--text", "Corrected")
    assert said.status == 1
    assert words in said.err
    assert story(project)[-1][0] == line
    assert update(project, "--text", "Corrected").status == 0
    assert post(network).text == "Corrected"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("weekly-digest/2025-03-10T09:00", "went out as mail"),
        ("linkedin/nothing", "there is no edition"),
    ],
)
def test_what_cannot_be_corrected_says_why(project: Project, network: FakeLinkedIn, key: str, words: str) -> None:
    said = project.syndicate("editions", "update", key, "--yes")
    assert said.status == 2
    assert words in said.err
    assert network.journal == []


def test_a_network_without_corrections_says_so(project: Project) -> None:
    project.syndicate("run", "--once", "--at", MONDAY)
    said = update(project)
    assert said.status == 2
    assert "the posts of account outbox cannot be changed from here" in said.err


def test_nothing_leaves_in_a_rehearsal(project: Project, network: FakeLinkedIn) -> None:
    project.configure(("mode: live", "mode: rehearsal"))
    said = update(project, "--text", "Corrected")
    assert said.status == 2
    assert "nothing leaves in `mode: rehearsal`" in said.err
    assert network.journal == []


def test_a_paused_account_is_left_alone(project: Project, network: FakeLinkedIn) -> None:
    project.syndicate("editions", "pause", "--all", "--reason", "not today")
    said = update(project, "--text", "Corrected")
    assert said.status == 3
    assert "is paused: not today" in said.err
    assert network.journal == []
