"""A picture as one network takes it: upright, cut, no larger than it may be, and without what cameras write into it."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from syndicate.errors import RenderError
from syndicate.model import Image, PictureRules
from syndicate.render.fit import shorten

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP"}
#: JPEG qualities in the order in which they are tried; below the last one, smaller pictures look better
_QUALITIES = (88, 80, 70)
_SMALLER = 0.8
_SMALLEST = 200  # pixels of the longer side


def fitted(image: Image, rules: PictureRules) -> Image:
    """The picture within the rules, the same bytes each time; its description within the network's length.

    An animation that fits as it is stays one; else its first frame is taken. Raises `RenderError` for what cannot be
    read, or cannot be made small enough.
    """
    image = replace(image, alt=shorten(image.alt, rules.max_alt))
    if image.media_type == "image/gif" and "image/gif" in rules.media_types and len(image.data) <= rules.max_bytes:
        return image  # GIF holds no position and no name of an owner, and to write it anew would spoil the animation
    picture, profile = _read(image)
    shown = _shrunk(_cut(picture, rules), rules)
    media_type = image.media_type if image.media_type in rules.media_types else rules.media_types[0]
    while True:
        for data, kind in _encodings(shown, media_type, rules, profile):
            if len(data) <= rules.max_bytes:
                return replace(image, data=data, media_type=kind)
        if max(shown.size) <= _SMALLEST:
            raise RenderError(
                f"the picture cannot be brought below {rules.max_bytes:,} bytes", hint="Use another picture."
            )
        shown = _scaled(shown, _SMALLER)


def _read(image: Image) -> tuple[Picture, bytes | None]:
    """The picture, turned as its camera was held, and its colour profile, without which colours change."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with Pillow.open(BytesIO(image.data)) as opened:
            profile = opened.info.get("icc_profile")
            upright = ImageOps.exif_transpose(opened)
            mode = "RGBA" if upright.has_transparency_data else "RGB"
            return upright.convert(mode), profile if opened.mode in {"RGB", "RGBA"} else None
    except Exception as error:  # each of Pillow's decoders raises what it likes
        raise RenderError("the picture is damaged", hint="Export it anew.") from error


def _cut(picture: Picture, rules: PictureRules) -> Picture:
    """The middle of the picture in the card's shape, or no longer than the network bears."""
    widest = rules.ratio or rules.max_ratio
    if not widest:
        return picture
    width = min(picture.width, round(picture.height * widest))
    height = min(picture.height, round(picture.width / (rules.ratio or 1 / widest)))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _shrunk(picture: Picture, rules: PictureRules) -> Picture:
    by_side = rules.max_side / max(picture.size)
    by_area = (rules.max_pixels / (picture.width * picture.height)) ** 0.5
    factor = min(by_side, by_area)
    return _scaled(picture, factor) if factor < 1 else picture


def _scaled(picture: Picture, factor: float) -> Picture:
    from PIL.Image import Resampling

    size = max(1, int(picture.width * factor)), max(1, int(picture.height * factor))
    return picture.resize(size, Resampling.LANCZOS)


def _encodings(picture: Picture, media_type: str, rules: PictureRules, profile: bytes | None) -> Any:
    """(bytes, kind), the best first: its own kind, then JPEG, if the network takes it, on white."""
    extra = {"icc_profile": profile} if profile else {}
    if media_type != "image/jpeg":
        yield _bytes(picture, media_type, optimize=True, **extra), media_type
    if "image/jpeg" in rules.media_types:
        flat = _on_white(picture)
        for quality in _QUALITIES:
            options = {"quality": quality, "optimize": True, "progressive": True, **extra}
            yield _bytes(flat, "image/jpeg", **options), "image/jpeg"


def _bytes(picture: Picture, media_type: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, _FORMATS[media_type], **options)
    return out.getvalue()


def _on_white(picture: Picture) -> Picture:
    from PIL import Image as Pillow

    if picture.mode == "RGB":
        return picture
    flat = Pillow.new("RGB", picture.size, "white")
    flat.paste(picture, mask=picture.getchannel("A"))
    return flat
