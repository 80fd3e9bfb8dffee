"""A project in a folder of its own, driven through the command line as a person would."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syndicate.cli.main import main

ROOT = Path(__file__).parent.parent
MONDAY = "2025-03-10T12:00"
#: When the starter posts.
POSTS = 'schedule: {cron: "30 10 * * MON-FRI"}'


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Project:
    """A starter project; `syndicate` runs a command in it."""

    folder: Path

    def syndicate(self, *arguments: str) -> Said:
        out, err, before = io.StringIO(), io.StringIO(), Path.cwd()
        status: Any = 0
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                main(list(arguments))
        except SystemExit as leaving:
            status = leaving.code or 0
        finally:
            os.chdir(before)
        return Said(status, out.getvalue(), err.getvalue())

    def configure(self, *changes: tuple[str, str]) -> None:
        """Replaces pieces of config/syndicate.yaml; each must be there."""
        path = self.folder / "config" / "syndicate.yaml"
        text = path.read_text("utf-8")
        for old, new in changes:
            assert old in text, f"{old!r} is not in the configuration"
            text = text.replace(old, new)
        path.write_text(text, "utf-8")

    def goes_live(self, mail: str, readers: Iterable[str]) -> None:
        """The digest alone, to these readers, through an account with the options `mail`."""
        rows = "".join(f"{address},,2025-01-01,test\n" for address in readers)
        header = "email,name,consent_at,consent_source\n"
        (self.folder / "config" / "readers.csv").write_text(header + rows, "utf-8")
        self.configure(
            ("mode: rehearsal", "mode: live"),
            ("accounts:\n", f"accounts:\n  mail: {{{mail}}}\n"),
            ("account: outbox\n    audience", "account: mail\n    audience"),
            (POSTS, ""),
        )

    def files(self) -> dict[str, bytes]:
        """Every file but the caches, with its bytes."""
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        return {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in found
            if "cache" not in path.relative_to(self.folder).parts
        }


def starter(folder: Path) -> Project:
    """The repository's own starter, as a person finds it in a clone."""
    for name in ("config", "templates", "seeds"):
        shutil.copytree(ROOT / name, folder / name)
    return Project(folder)
