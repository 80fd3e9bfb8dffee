"""The starter project: what `syndicate init` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import syndicate
from syndicate.errors import UsageError
from syndicate.model import Problem

FOLDERS = ("config", "templates", "seeds")
#: What runs leave behind; a project is often a git repository.
GITIGNORE = "var/\noutbox/\nproofs/\n"


def starter_folder() -> Path:
    """The folder that has `config/`, `templates/` and `seeds/`: inside an installed package, else the checkout."""
    package = Path(syndicate.__file__).parent
    packaged = package / "starter"
    return packaged if packaged.is_dir() else package.parent


def init(target: Path) -> list[Path]:
    """Writes the starter project into `target`, which is made if need be; the files that were written.

    Raises `UsageError`, before anything is written, if a file is in the way; nothing is ever replaced.
    """
    source = starter_folder()
    files = {target / path.relative_to(source): path.read_bytes() for path in shipped(source)}
    in_the_way = [path for path in files if path.exists() or path.is_symlink()]
    if in_the_way:
        raise UsageError(
            f"{target} has files that the starter project would replace",
            hint="Choose an empty folder: syndicate init DIR",
            problems=[Problem(path.as_posix(), "is in the way") for path in in_the_way],
        )
    if not (target / ".gitignore").exists():  # an existing one is its owner's business
        files[target / ".gitignore"] = GITIGNORE.encode()
    return [write(path, content) for path, content in files.items()]


def shipped(source: Path) -> Iterator[Path]:
    """The starter's files, without what editors and tools leave beside them."""
    for folder in FOLDERS:
        for path in sorted((source / folder).rglob("*")):
            inner = path.relative_to(source).parts
            if path.is_file() and not any(part.startswith((".", "__")) for part in inner):
                yield path


def write(path: Path, content: bytes) -> Path:
    """A new file. Raises `UsageError` if that is not possible."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="Choose another folder.") from error
    return path
