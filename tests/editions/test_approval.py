"""Approval: what waits goes nowhere, what a person approved goes out as it was, and every edit asks again."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime

import pytest

from syndicate.app import assemble
from syndicate.editions.approval import released
from tests.project import MONDAY, Project, Said

DIGEST = "weekly-digest/2025-03-10T09:00"
HYDERABAD = "linkedin/mlops-training-in-hyderabad-bridging-the-gap-between-ml"
ARTICLE = "seeds/001_0bc78cdf9e41f4cf.md"
LATER = "2025-03-10T13:00"
FINGERPRINTED = {
    "articles",
    "templates",
    "publication",
    "channels.weekly-digest",
    "accounts.outbox",
    "audiences.readers",
}


@pytest.fixture
def drafted(project: Project) -> Project:
    """Both channels ask for approval, and a run has drafted what was due on Monday."""
    project.configure(("approval: none ", "approval: required "), ("max: 2,", "max: 1,"))
    project.configure(("    template: linkedin\n", "    template: linkedin\n    approval: required\n"))
    said = run(project)
    assert said.status == 3, said
    assert f"{DIGEST}: waits for approval: syndicate editions approve {DIGEST}" in said.out
    return project


def run(project: Project, at: str = MONDAY) -> Said:
    return project.syndicate("run", "--once", "--at", at)


def state(project: Project, key: str = DIGEST) -> str:
    return str(project.syndicate("editions", "show", key, "--json").json["edition"]["state"])


def sent(project: Project) -> list[str]:
    return sorted(path.name for path in (project.folder / "outbox").rglob("*.eml"))


def edit(project: Project, path: str, old: str, new: str) -> None:
    file = project.folder / path
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def story(project: Project, key: str = DIGEST) -> list[tuple[str, str, str]]:
    told = project.syndicate("why", key, "--json").json["story"]
    return [(one["what"], one["actor"], one["reason"]) for one in told if not one["recipient"]]


def test_what_waits_for_approval_is_sent_to_nobody_however_often_the_scheduler_ticks(drafted: Project) -> None:
    for at in (MONDAY, LATER, "2025-03-10T14:00"):
        assert run(drafted, at).status == 3
    assert (state(drafted), sent(drafted)) == ("awaiting", [])
    assert not (drafted.folder / "outbox").exists()


def test_what_was_approved_goes_out_at_the_next_run_and_once(drafted: Project) -> None:
    said = drafted.syndicate("editions", "approve", DIGEST, "--reason", "read it twice")
    assert said.status == 0, said
    assert "it goes out at the next run" in said.out
    assert (state(drafted), sent(drafted)) == ("approved", [])
    assert f"{DIGEST}  sent 3" in run(drafted, LATER).out
    assert (state(drafted), len(sent(drafted))) == ("done", 3)
    run(drafted, LATER)
    assert story(drafted) == [
        ("entered", "run", ""),
        ("awaiting -> approved", "person", "read it twice"),
        ("approved -> sending", "run", "as it was approved"),
    ]


def test_the_bytes_that_were_drafted_are_the_bytes_that_go_out(drafted: Project) -> None:
    before = drafted.syndicate("editions", "show", DIGEST, "--json").json["edition"]["sha256"]
    drafted.syndicate("editions", "approve", DIGEST)
    run(drafted, LATER)
    after = drafted.syndicate("editions", "show", DIGEST, "--json").json
    assert after["edition"]["sha256"] == before
    assert {one["state"] for one in after["deliveries"]} == {"sent"}


EDITS = [
    (ARTICLE, "career growth", "life", f"{ARTICLE} (edited)"),
    (ARTICLE, "\n---\n", "\ndraft: true\n---\n", f"{ARTICLE} (it is a draft)"),
    ("templates/digest.mjml.j2", "mj-body", "mj-body ", "templates"),
    ("config/readers.csv", "ada@", "eva@", "audiences.readers"),
    ("config/syndicate.yaml", "max: 10", "max: 9", "channels.weekly-digest"),
    ("config/syndicate.yaml", "folder: outbox", "folder: elsewhere", "accounts.outbox"),
    ("config/syndicate.yaml", "Magick AI Dispatch", "Magic Dispatch", "publication"),
]


@pytest.mark.parametrize(("path", "old", "new", "named"), EDITS, ids=[edit[3] for edit in EDITS])
def test_an_edit_before_the_approval_drafts_anew_and_asks_again(
    drafted: Project, path: str, old: str, new: str, named: str
) -> None:
    edit(drafted, path, old, new)
    said = drafted.syndicate("editions", "approve", DIGEST)
    assert said.status == 3
    assert f"was not approved: changed since it was drafted: {named}" in said.err
    assert state(drafted) == "awaiting"
    assert drafted.syndicate("editions", "approve", DIGEST).status == 0
    run(drafted, LATER)
    assert state(drafted) == "done"


@pytest.mark.parametrize(("path", "old", "new", "named"), EDITS, ids=[edit[3] for edit in EDITS])
def test_an_edit_after_the_approval_voids_it_and_nothing_goes_out(
    drafted: Project, path: str, old: str, new: str, named: str
) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    edit(drafted, path, old, new)
    said = run(drafted, LATER)
    assert said.status == 3
    assert f"{DIGEST}: waits for approval (changed since it was drafted: {named}" in said.out
    assert (state(drafted), sent(drafted)) == ("awaiting", [])
    assert story(drafted)[-2][0] == "approved -> awaiting"
    assert story(drafted)[-1][:2] == ("drafted anew", "run")


def test_a_new_draft_has_the_new_words_and_the_new_readers_and_the_old_key(drafted: Project) -> None:
    edit(drafted, "config/readers.csv", "ada@", "eva@")
    edit(drafted, ARTICLE, "title: ", "title: New - ")
    drafted.syndicate("editions", "approve", DIGEST)
    drafted.syndicate("editions", "approve", DIGEST)
    run(drafted, LATER)
    assert sent(drafted) == ["eva@example.org.eml", "jose@example.com.eml", "ravi@example.net.eml"]
    (mail,) = (drafted.folder / "outbox").rglob("eva@example.org.eml")
    assert b"New -" in mail.read_bytes()


def test_a_picture_that_was_replaced_voids_the_approval(project: Project) -> None:
    project.configure(
        ("max: 2,", "max: 3,"), ("    template: linkedin\n", "    template: linkedin\n    approval: required\n")
    )
    picture = project.folder / "seeds" / "hero.png"
    picture.write_bytes(png(b"\x00"))
    article = "---\ntitle: Seen\npublish_date: 2025-03-09\nheroImage: hero.png\n---\nText.\n"
    (project.folder / "seeds" / "seen.md").write_text(article, "utf-8")
    run(project)
    assert project.syndicate("editions", "approve", "linkedin/seen").status == 0
    picture.write_bytes(png(b"\xff"))
    said = run(project, LATER)
    assert "linkedin/seen: waits for approval (the message is not the same any more, such as its picture)" in said.out


def png(pixel: bytes) -> bytes:
    """A picture of one colour, large enough for a card."""
    import io

    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (600, 315), pixel[0]).save(stream, "PNG")
    return stream.getvalue()


def test_what_cannot_be_put_into_words_any_more_waits_and_says_so(drafted: Project) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    edit(drafted, "templates/digest.mjml.j2", "{{", "{{ nothing.at.all }}{{")
    said = run(drafted, LATER)
    assert said.status == 1
    assert (state(drafted), sent(drafted)) == ("awaiting", [])


def test_articles_that_are_gone_are_named(drafted: Project) -> None:
    for path in (drafted.folder / "seeds").glob("*.md"):
        path.unlink()
    said = drafted.syndicate("editions", "approve", DIGEST)
    assert said.status == 1
    assert "none of its articles can be used any more" in said.err
    assert f"syndicate editions reject {DIGEST}" in said.err
    assert drafted.syndicate("editions", "reject", DIGEST).status == 0


def test_what_was_begun_is_not_touched_by_an_edit(drafted: Project) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    folder = drafted.folder / "outbox"
    folder.write_text("in the way of a folder")
    assert run(drafted, LATER).status == 3
    edit(drafted, ARTICLE, "career growth", "life")
    folder.unlink()
    drafted.syndicate("editions", "resume", DIGEST)
    run(drafted, "2025-03-10T20:00")
    assert (state(drafted), len(sent(drafted))) == ("done", 3)


def test_a_rejected_edition_is_never_sent_and_its_articles_stay_used(drafted: Project) -> None:
    said = drafted.syndicate("editions", "reject", DIGEST, "--reason", "not this week")
    assert said.status == 0, said
    assert drafted.syndicate("editions", "approve", DIGEST).status == 1
    run(drafted, "2025-03-17T12:00")
    assert (state(drafted), sent(drafted)) == ("rejected", [])
    assert ("awaiting -> rejected", "person", "not this week") in story(drafted)
    again = drafted.syndicate("plan", "weekly-digest", "--at", "2025-03-17T12:00").out
    assert f"already in {DIGEST}" in again


def test_articles_of_a_rejected_edition_are_taken_again_where_a_person_says_so(drafted: Project) -> None:
    drafted.syndicate("editions", "reject", DIGEST)
    nothing = drafted.syndicate("send", "weekly-digest", "--at", LATER, "--yes")
    assert nothing.status == 0
    assert sent(drafted) == []
    digest = drafted.syndicate("send", "weekly-digest", "--at", LATER, "--again", "--yes")
    assert digest.status == 3
    assert "weekly-digest/2025-03-10T13:00: waits for approval" in digest.out


def test_send_with_the_hash_of_the_plan_is_the_approval_of_that_plan(project: Project) -> None:
    project.configure(("approval: none ", "approval: required "))
    shown = project.syndicate("plan", "weekly-digest", "--at", MONDAY, "--json").json["hash"]
    said = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--plan", shown, "--yes")
    assert said.status == 0, said
    assert len(sent(project)) == 3
    assert story(project)[0] == ("entered", "send", f"a person named the plan {shown}")


def test_send_without_it_waits(project: Project) -> None:
    project.configure(("approval: none ", "approval: required "))
    assert project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes").status == 3
    assert (state(project), sent(project)) == ("awaiting", [])


def test_a_post_by_hand_is_approved_by_the_hand(project: Project) -> None:
    edit(
        project, "config/syndicate.yaml", "    template: linkedin\n", "    template: linkedin\n    approval: required\n"
    )
    assert project.syndicate("post", ARTICLE, "--to", "linkedin", "--text", "My words.", "--yes").status == 0
    (posted,) = (project.folder / "outbox").rglob("*.txt")
    assert posted.read_text("utf-8").startswith("My words.")
    assert story(project, HYDERABAD)[0] == ("entered", "post", "a person posted it")


def test_a_dry_run_and_a_preview_show_the_bytes_of_what_would_wait(project: Project) -> None:
    project.configure(("approval: none ", "approval: required "))
    dry = project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert "would wait for approval first" in dry.out
    lines = [json.loads(line) for line in (project.folder / "proofs" / "manifest.jsonl").read_text().splitlines()]
    shown = {line["recipient"]: line["sha256"] for line in lines if line["edition"] == DIGEST}
    run(project)
    project.syndicate("editions", "approve", DIGEST)
    run(project, LATER)
    deliveries = project.syndicate("editions", "show", DIGEST, "--json").json["deliveries"]
    assert {one["recipient"]: one["sha256"] for one in deliveries} == shown
    assert project.syndicate("preview", "weekly-digest", "--at", MONDAY).status == 0
    assert (project.folder / "proofs" / "index.html").is_file()


def test_a_dry_run_with_an_approved_edition_shows_it_and_changes_nothing(drafted: Project) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    drafted.syndicate("run", "--once", "--at", LATER, "--dry-run")  # makes the key material of Message-IDs
    before = drafted.files()
    dry = drafted.syndicate("run", "--once", "--at", LATER, "--dry-run")
    assert f"{DIGEST}  would be sent 3" in dry.out
    assert drafted.files() == before


def test_in_rehearsal_what_would_wait_is_rehearsed_and_nobody_is_asked(project: Project) -> None:
    page = 'page: {adapter: linkedin, token: "${env:NO_TOKEN}", author: "urn:li:person:1"}'
    project.configure(
        ("  outbox: {adapter: file, folder: outbox}", f"  outbox: {{adapter: file, folder: outbox}}\n  {page}"),
        ("account: outbox\n    template: linkedin", "account: page"),
    )
    said = run(project)
    assert said.status == 0, said
    assert f"{HYDERABAD} would be sent 1" in " ".join(said.out.split())
    assert "waits for approval" not in said.out


def test_linkedin_asks_for_approval_unless_the_channel_says_otherwise(project: Project) -> None:
    page = 'page: {adapter: linkedin, token: "${env:NO_TOKEN}", author: "urn:li:person:1"}'
    project.configure(
        ("  outbox: {adapter: file, folder: outbox}", f"  outbox: {{adapter: file, folder: outbox}}\n  {page}"),
        ("account: outbox\n    template: linkedin", "account: page"),
    )
    shown = project.syndicate("config", "show", "--json").json["channels"]
    assert (shown["linkedin"]["approval"], shown["weekly-digest"]["approval"]) == ("required", "none")
    project.configure(("account: page", "account: page\n    approval: none"))
    assert project.syndicate("config", "show", "--json").json["channels"]["linkedin"]["approval"] == "none"


def test_an_approval_survives_a_channel_that_no_longer_asks(drafted: Project) -> None:
    edit(drafted, "config/syndicate.yaml", "approval: required ", "approval: none ")
    assert run(drafted, LATER).status == 3
    assert sent(drafted) == []
    assert drafted.syndicate("editions", "approve", DIGEST).status == 3
    assert drafted.syndicate("editions", "approve", DIGEST).status == 0
    run(drafted, LATER)
    assert len(sent(drafted)) == 3


def test_what_waits_is_in_plan_and_status_and_list(drafted: Project) -> None:
    assert f"{DIGEST}: waits for approval" in drafted.syndicate("plan", "--at", LATER).out
    status = drafted.syndicate("status")
    assert status.status == 3
    assert f"syndicate editions approve {DIGEST}" in status.out
    assert f"{DIGEST}" in drafted.syndicate("editions", "list").out
    assert "awaiting" in drafted.syndicate("editions", "list").out
    shown = drafted.syndicate("editions", "show", DIGEST).out
    assert "The Rise of MLOps Training in India and 1 more" in shown
    assert f"syndicate editions approve {DIGEST}" in shown


def test_the_frozen_messages_can_be_looked_at_before_the_approval(drafted: Project) -> None:
    said = drafted.syndicate("editions", "show", DIGEST, "--out", "look")
    assert said.status == 0, said
    looked = {path.name: path.read_bytes() for path in (drafted.folder / "look").rglob("*.eml")}
    assert len(looked) == 3
    drafted.syndicate("editions", "approve", DIGEST)
    run(drafted, LATER)
    assert {path.name: path.read_bytes() for path in (drafted.folder / "outbox").rglob("*.eml")} == looked


def test_the_fingerprints_hold_no_secret(drafted: Project) -> None:
    plan = json.loads(drafted.syndicate("editions", "show", DIGEST, "--json").json["edition"]["plan"])
    assert set(plan) == FINGERPRINTED
    assert all(len(value) == 64 for value in plan.values())


def test_a_paused_draft_cannot_slip_past_its_check(drafted: Project) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    drafted.syndicate("editions", "pause", DIGEST)
    edit(drafted, ARTICLE, "career growth", "life")
    drafted.syndicate("editions", "resume", DIGEST)
    assert run(drafted, LATER).status == 3
    assert (state(drafted), sent(drafted)) == ("awaiting", [])


def test_a_late_approval_leaves_the_deliveries_their_time(drafted: Project) -> None:
    """Two days after its entry a delivery would be given up at its first deferral."""
    drafted.syndicate("editions", "approve", DIGEST)
    moment = datetime(2035, 3, 10, 12, tzinfo=UTC)
    with closing(assemble(drafted.folder / "config" / "syndicate.yaml", clock=lambda: moment)) as app:
        row = app.ledger().edition(DIGEST)
        assert row is not None
        assert released(app, row, "run")
        after = app.ledger().edition(DIGEST)
        assert after is not None
        assert after.since == moment


def test_of_two_runs_that_release_at_once_both_see_it_released(drafted: Project) -> None:
    drafted.syndicate("editions", "approve", DIGEST)
    app = assemble(drafted.folder / "config" / "syndicate.yaml")
    row = app.ledger().edition(DIGEST)
    assert row is not None
    assert released(app, row, "one")
    assert released(app, row, "two"), "it read the same row before the first one moved it"
    app.ledger().set_edition_state(DIGEST, "paused", "", app.clock(), "person")
    assert not released(app, row, "three")
    app.close()


def test_diff_shows_what_would_be_said_now(drafted: Project) -> None:
    assert "nothing would be different now" in drafted.syndicate("editions", "diff", DIGEST).out
    edit(drafted, ARTICLE, "title: ", "title: New - ")
    edit(drafted, "config/readers.csv", "ada@", "eva@")
    (drafted.folder / "seeds" / "000_b5ca7274b39b3a56.md").unlink()
    said = drafted.syndicate("editions", "diff", DIGEST).out.splitlines()
    assert said[0].startswith(f"Changed: {ARTICLE} (edited), seeds/000_b5ca7274b39b3a56.md (gone), audiences.readers")
    assert said[1] == "-  The Rise of MLOps Training in India and 1 more"
    assert said[2].startswith("+  New - 'MLOps Training in Hyderabad")
    assert "-  seeds/000_b5ca7274b39b3a56.md" in said
    assert "- 1 recipient: ada@example.org" in said
    assert "+ 1 recipient: eva@example.org" in said
    assert {"--- frozen", "+++ now"} <= set(said)
    assert any(line.startswith("+New - 'MLOps") for line in said)


def test_diff_of_html_alone_and_of_what_was_sent(project: Project) -> None:
    run(project)
    edit(project, "templates/digest.mjml.j2", "<mj-body", '<mj-body css-class="new"')
    found = project.syndicate("editions", "diff", DIGEST, "--json").json
    assert not found["same"]
    assert any("new" in line for line in found["difference"]["text"])
    assert found["difference"]["title"] is None


def test_an_article_that_was_edited_after_it_was_sent_is_shown_and_not_sent_again(project: Project) -> None:
    run(project)
    edit(project, ARTICLE, "career growth", "life")
    plan = project.syndicate("plan", "--at", LATER)
    assert f"{ARTICLE}: changed since it was sent in {DIGEST}; it is not sent again" in plan.out
    assert f"{ARTICLE}: changed since it was sent in {HYDERABAD}" in plan.out
    fate = project.syndicate("articles", "--at", LATER).out
    assert f"already in {DIGEST}, and changed since it was sent there" in fate
    assert run(project, LATER).status == 0
    assert len(sent(project)) == 3


def test_a_diff_shows_what_was_edited_and_no_machinery(project: Project) -> None:
    project.configure(("approval: none ", "approval: required "))
    project.syndicate("run", "--once", "--at", MONDAY)
    seed = project.folder / "seeds" / "000_b5ca7274b39b3a56.md"
    seed.write_text(seed.read_text("utf-8").replace("Explore how India", "Explore how all of India"), "utf-8")
    said = project.syndicate("editions", "diff", "weekly-digest/2025-03-10T09:00").out
    assert "+Explore how all of India" in said
    assert "slot-" not in said
