"""The checked configuration as JSON under `var/cache/`, so that a warm start loads neither validator nor YAML parser.

Only a configuration without any problem is kept, and a literal secret is one: so the file holds references only. It is
valid for one text at one place and one version of the checks. Losing it costs time and nothing else.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

from syndicate import __version__
from syndicate.config.plain import build, plain
from syndicate.config.settings import Settings
from syndicate.whole import replacing

FOLDER = Path("var", "cache")
NAME = "config.json"


def key(text: str, path: Path) -> str:
    """Names one text, at one place, as this very code reads it."""
    code = [(entry.name, entry.stat().st_mtime_ns) for entry in os.scandir(Path(__file__).parent) if entry.is_file()]
    return sha256("\0".join([__version__, str(sorted(code)), str(path), text]).encode()).hexdigest()


def fetch(wanted: str, root: Path) -> Settings | None:
    """The settings kept under a key, or None: whatever is wrong with the file, it is as if it were not there."""
    try:
        kept = json.loads((root / FOLDER / NAME).read_bytes())
        return build(kept["settings"], root) if kept["key"] == wanted else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def store(wanted: str, settings: Settings) -> None:
    """Keeps the settings in one step, readable by their owner; a disk that cannot be written is no error."""
    folder = settings.root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(folder / NAME) as file:
            file.write(json.dumps({"key": wanted, "settings": plain(settings)}).encode())
    except (OSError, ValueError):
        return
