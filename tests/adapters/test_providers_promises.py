"""From the command line to each e-mail provider: what a dry run shows is what it gets, and what the ledger keeps."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syndicate.testing.providers import KEY
from tests.adapters.providers import KINDS
from tests.project import MONDAY, Project

#: In the configuration, for each provider.
SECRETS = {"ses": "secret_access_key", "postmark": "server_token"}
EDITION = "weekly-digest/2025-03-10T09:00"


def live(project: Project, name: str, url: str, batch: int) -> None:
    """Turns the project live, with its digest on an account at a fake provider."""
    secret = project.folder / "var" / "key"
    secret.parent.mkdir()
    secret.write_text(KEY)
    secret.chmod(0o600)
    known = {key: value for key, value in KINDS[name].settings.items() if value != KEY}
    options = {**known, SECRETS.get(name, "api_key"): "${file:var/key}", "base_url": url}
    if batch > 1:
        options["batch"] = batch
    account = json.dumps({"adapter": name, **options})
    project.configure(
        ("mode: rehearsal", "mode: live"),
        (
            "  outbox: {adapter: file, folder: outbox}",
            f"  outbox: {{adapter: file, folder: outbox}}\n  mail: {account}",
        ),
        ("account: outbox\n    audience", "account: mail\n    audience"),
    )


def manifest(folder: Path) -> dict[str, str]:
    """Recipient -> SHA-256, of the digest."""
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]
    return {line["recipient"]: line["sha256"] for line in lines if line["edition"] == EDITION}


@pytest.mark.parametrize("name", KINDS)
def test_a_dry_run_shows_what_the_provider_gets_for_every_reader(project: Project, name: str) -> None:
    kind = KINDS[name]
    with kind.fake() as network:
        live(project, name, network.url, min(2, kind.most))
        dry = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--dry-run", "--out", "proofs")
        assert dry.status == 0, dry
        assert network.journal == []
        sent = project.syndicate("send", "weekly-digest", "--at", MONDAY, "--yes")
        assert sent.status == 0, sent
        shown = manifest(project.folder / "proofs")
        assert {one.recipient: one.sha256 for one in network.taken} == shown
        assert len(shown) == 3
        kept = project.syndicate("editions", "show", EDITION, "--json").json["deliveries"]
        assert {one["recipient"]: one["sha256"] for one in kept} == shown
        assert {one["state"] for one in kept} == {"sent"}
        assert KEY not in dry.out + dry.err + sent.out + sent.err
        holding = [name for name, content in project.files().items() if KEY.encode() in content]
        assert holding == ["var/key"]
