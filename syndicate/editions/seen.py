"""Plans that a person has looked at: kept, so that a refusal can say what has changed since."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from syndicate.editions import fingerprints
from syndicate.model import Plan

if TYPE_CHECKING:
    from syndicate.app import App

#: Plans that are kept.
KEPT_PLANS = 100


def keep_plan(app: App, digest: str, plan: Plan) -> None:
    """Notes what decided a plan that a person looks at, so that a later refusal can say what has changed since.

    A cache: where it cannot be written, the refusal only says that something has.
    """
    folder = plans_folder(app)
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{digest}.json").write_text(json.dumps(decided_by(app, plan)), "utf-8")
        for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-KEPT_PLANS]:
            old.unlink()


def plan_changes(app: App, prefix: str, plan: Plan) -> tuple[str, ...]:
    """What differs between a plan that was looked at, by the beginning of its hash, and `plan`; empty if unknown."""
    try:
        kept = json.loads(next(plans_folder(app).glob(f"{prefix}*.json")).read_text("utf-8"))
    except (OSError, StopIteration, ValueError):
        return ()
    now = decided_by(app, plan)
    channels = {part.channel.name for part in plan.channels}  # the other may have been of more
    kept = {key: names for key, names in kept.items() if key.partition("/")[0] in channels}
    shared = {key: {**kept[key], **now[key]} for key in kept.keys() & now.keys()}
    gone = [f"{key} ({'new' if key in now else 'no more'})" for key in sorted(kept.keys() ^ now.keys())]
    changed = {name for key, names in shared.items() for name in names if kept[key].get(name) != now[key].get(name)}
    return (*gone, *sorted(changed))


def decided_by(app: App, plan: Plan) -> dict[str, dict[str, str]]:
    """Edition -> what decides its bytes -> hex SHA-256; each article by its file."""
    return {
        edition.key: {
            **{name: digest for name, digest in fingerprints.fingerprints(app, edition).items() if name != "articles"},
            **{article.path: article.sha256 for article in edition.articles},
        }
        for edition in plan.editions
    }


def plans_folder(app: App) -> Path:
    """Where the plans that were looked at are kept."""
    return app.root / "var" / "cache" / "plans"
