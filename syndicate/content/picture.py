"""Hero images that lie in the project, or were fetched into it."""

from __future__ import annotations

import warnings
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from syndicate.model import Article, Image, Problem, Severity

MAX_BYTES = 20_000_000
#: a small file can hold a picture that fills the memory when it is unpacked
MAX_PIXELS = 40_000_000
_KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


def read(article: Article, root: Path, fetched: Path | None = None) -> Image | Problem | None:
    """An article's picture; None where it has none that could be sent. Its kind is what its bytes say.

    `fetched` is the folder with the pictures of the web, where they may be fetched: without it their addresses are
    shown, and nothing is sent.
    """
    name = article.hero_image
    if not name:
        return None
    if name.startswith(("http://", "https://")):
        return None if fetched is None else _of_the_web(article, place(fetched, name))
    try:
        file = (root / name).resolve(strict=True)
        if not file.is_relative_to(root.resolve()) or not file.is_file():
            return _problem(article, f"{name} is not a file of the project", "copy the picture into the project")
        return _image(article, file)
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _problem(article, f"{name} cannot be read: {why}", "check the path; it starts at the article's folder")


def _of_the_web(article: Article, file: Path) -> Image | Problem:
    try:
        return _image(article, file)
    except OSError:
        hint = "syndicate check --online fetches it, and so does the scheduler"
        return _problem(article, f"{article.hero_image} was not fetched yet", hint)


def _image(article: Article, file: Path) -> Image | Problem:
    """Raises `OSError`."""
    name = article.hero_image
    if (size := file.stat().st_size) > MAX_BYTES:
        message = f"{name} has {size / 1e6:.1f} MB; at most {MAX_BYTES // 1_000_000} MB are read"
        return _problem(article, message, "scale it down")
    data = file.read_bytes()
    if not (kind := kind_of(data)):
        return _problem(article, f"{name} is no JPEG, PNG, GIF or WebP that can be read", "export it anew")
    return Image(data, kind, article.hero_alt or article.title)


def place(folder: Path, url: str) -> Path:
    """Where the picture behind a URL is kept."""
    return folder / sha256(url.encode()).hexdigest()[:32]


def kind_of(data: bytes) -> str:
    """The media type of the bytes, by Pillow; empty if they are damaged, too large, or no picture."""
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(BytesIO(data), formats=list(_KINDS)) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    return ""
                picture.verify()
                return _KINDS.get(picture.format or "", "")
    except Exception:  # each of Pillow's decoders raises what it likes
        return ""


def _problem(article: Article, message: str, hint: str) -> Problem:
    return Problem(article.path, f"hero image: {message}", Severity.WARNING, hint=hint, code="picture.unusable")
