"""Letters to members of a list: their links in a dry run, in the ledger's commands, and on the wire."""

import json

from tests.project import MONDAY
from tests.web.site import Site


def test_a_dry_run_shows_the_bytes_that_members_get(site: Site) -> None:
    for name in ("ada", "bob", "eve"):
        site.subscribed(f"{name}@example.{name}.org", "weekly")
    said = site.project.syndicate("run", "--once", "--at", MONDAY, "--dry-run", "--out", "proofs")
    assert said.status == 0, said.out + said.err
    lines = (site.project.folder / "proofs" / "manifest.jsonl").read_text("utf-8").splitlines()
    shown = {one["key"]: one["sha256"] for one in map(json.loads, lines)}
    site.tick()
    sent = {one.key: one.sha256 for one in site.app.ledger().deliveries() if "confirmation+" not in one.key}
    assert len([key for key in sent if key.startswith("members-digest/")]) == 3
    assert sent == shown


def test_the_commands_know_what_a_question_was(site: Site) -> None:
    site.subscribed("ada@example.org")
    shown = site.project.syndicate("editions", "show", "confirmation+/1", "--json")
    assert shown.status == 0, shown.out + shown.err
    assert '"kind": "confirmation"' in shown.out
    assert site.project.syndicate("editions", "show", "confirmation+/1").status == 0
    why = site.project.syndicate("why", "confirmation+/1", "ada@example.org")
    assert why.status == 0, why.out + why.err
    assert "confirmation+" not in site.project.syndicate("editions", "list").out
    assert site.project.syndicate("status").status in {0, 3}
