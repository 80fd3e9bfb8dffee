"""Hero images that lie in the project. Remote ones are shown by their address and never fetched."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

from syndicate.model import Article, Image, Problem, Severity

MAX_BYTES = 5_000_000
#: a small file can hold a picture that fills the memory when it is unpacked
MAX_PIXELS = 40_000_000
_KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif"}


def read(article: Article, root: Path) -> Image | Problem | None:
    """An article's picture; None where it has none in the project. Its kind is what its bytes say."""
    name = article.hero_image
    if not name or name.startswith(("http://", "https://")):
        return None
    try:
        file = (root / name).resolve(strict=True)
        if not file.is_relative_to(root.resolve()) or not file.is_file():
            return _problem(article, f"{name} is not a file of the project", "copy the picture into the project")
        if (size := file.stat().st_size) > MAX_BYTES:
            return _problem(article, f"{name} has {size / 1e6:.1f} MB; at most 5 MB are sent", "scale it down")
        data = file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return _problem(article, f"{name} cannot be read: {why}", "check the path; it starts at the article's folder")
    kind = _kind(data)
    if kind not in _KINDS:
        return _problem(article, f"{name} is no JPEG, PNG or GIF that can be read", "export it anew")
    return Image(data, _KINDS[kind], article.hero_alt or article.title)


def _kind(data: bytes) -> str:
    """What Pillow takes the bytes for; empty if they are damaged, too large, or no picture."""
    from PIL import Image as Pillow

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(BytesIO(data), formats=list(_KINDS)) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    return ""
                picture.verify()
                return picture.format or ""
    except Exception:  # each of Pillow's decoders raises what it likes
        return ""


def _problem(article: Article, message: str, hint: str) -> Problem:
    return Problem(article.path, f"hero image: {message}", Severity.WARNING, hint=hint, code="picture.unusable")
