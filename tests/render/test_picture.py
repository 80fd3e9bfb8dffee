"""A picture within the rules of a network: upright, cut, small enough, without what cameras write into it."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from syndicate.errors import RenderError
from syndicate.model import Image, PictureRules
from syndicate.render.picture import fitted

ORIENTATION, MAKE, GPS = 0x0112, 0x010F, 0x8825


def picture(size: tuple[int, int] = (80, 40), kind: str = "JPEG", mode: str = "RGB", **options: object) -> Image:
    out = BytesIO()
    made = Pillow.effect_noise(size, 60).convert(mode)
    made.save(out, kind, **options)
    return Image(out.getvalue(), f"image/{kind.lower()}", "what there is to see")


def opened(image: Image) -> Pillow.Image:
    return Pillow.open(BytesIO(image.data))


def test_a_picture_that_fits_keeps_its_size_and_kind() -> None:
    for kind in ("JPEG", "PNG"):
        found = fitted(picture(kind=kind), PictureRules())
        assert (opened(found).size, opened(found).format, found.media_type) == ((80, 40), kind, f"image/{kind.lower()}")


def test_what_a_camera_wrote_into_it_is_gone_and_it_stands_upright() -> None:
    exif = Pillow.Exif()
    exif[ORIENTATION], exif[MAKE] = 6, "Canary Camera"
    exif[GPS] = {1: "N", 2: (12.0, 58.0, 17.0)}
    for kind in ("JPEG", "PNG"):
        before = picture((80, 40), kind, exif=exif)
        assert b"Canary" in before.data
        after = fitted(before, PictureRules())
        assert b"Canary" not in after.data
        assert not opened(after).getexif()
        assert opened(after).size == (40, 80)


@pytest.mark.parametrize(
    ("size", "cut"), [((400, 400), (400, 209)), ((800, 100), (191, 100)), ((382, 200), (382, 200))]
)
def test_a_card_shows_the_middle(size: tuple[int, int], cut: tuple[int, int]) -> None:
    assert opened(fitted(picture(size), PictureRules(ratio=1.91))).size == cut


@pytest.mark.parametrize(
    ("size", "cut"), [((900, 30), (300, 30)), ((20, 400), (20, 200)), ((300, 30), (300, 30)), ((40, 40), (40, 40))]
)
def test_a_strip_is_cut_to_what_the_network_bears(size: tuple[int, int], cut: tuple[int, int]) -> None:
    assert opened(fitted(picture(size), PictureRules(max_ratio=10))).size == cut


def test_too_many_bytes_become_a_jpeg_and_then_fewer_pixels() -> None:
    large = picture((900, 700), "PNG")
    found = fitted(large, PictureRules(max_bytes=60_000))
    assert len(found.data) <= 60_000 < len(large.data)
    assert found.media_type == "image/jpeg"
    assert opened(found).width / opened(found).height == pytest.approx(900 / 700, rel=0.02)


def test_what_is_transparent_becomes_white() -> None:
    out = BytesIO()
    Pillow.new("RGBA", (20, 20), (255, 0, 0, 0)).save(out, "PNG")
    found = fitted(Image(out.getvalue(), "image/png"), PictureRules(media_types=("image/jpeg",)))
    assert opened(found).getpixel((5, 5)) == (255, 255, 255)


def test_a_kind_that_the_network_does_not_know_is_turned_into_one_that_it_knows() -> None:
    assert fitted(picture(kind="WEBP"), PictureRules()).media_type == "image/jpeg"


def test_an_animation_that_fits_stays_one() -> None:
    frames = [Pillow.new("P", (10, 10), colour) for colour in (1, 2, 3)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    animation = Image(out.getvalue(), "image/gif", "three colours")
    assert fitted(animation, PictureRules()) == animation
    assert fitted(animation, PictureRules(media_types=("image/png",))).media_type == "image/png"


def test_a_description_is_cut_at_a_word() -> None:
    assert fitted(picture(), PictureRules(max_alt=12)).alt == "what there…"


def test_the_same_picture_gives_the_same_bytes() -> None:
    image, rules = picture((300, 200)), PictureRules(ratio=1.91, max_side=200)
    assert fitted(image, rules) == fitted(image, rules)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 not really", picture().data[:200]])
def test_a_damaged_picture_is_an_error_with_advice(data: bytes) -> None:
    with pytest.raises(RenderError) as caught:
        fitted(Image(data, "image/jpeg"), PictureRules())
    assert caught.value.hint


def test_a_limit_that_no_picture_meets_is_an_error() -> None:
    with pytest.raises(RenderError, match="cannot be brought below"):
        fitted(picture((300, 300)), PictureRules(max_bytes=10))


@settings(max_examples=40, deadline=None)
@given(
    size=st.tuples(st.integers(1, 400), st.integers(1, 400)),
    kind=st.sampled_from(["JPEG", "PNG", "WEBP"]),
    side=st.integers(50, 300),
    pixels=st.integers(400, 60_000),
    ratio=st.sampled_from([0.0, 1.0, 1.91]),
)
def test_whatever_comes_in_what_goes_out_obeys(
    size: tuple[int, int], kind: str, side: int, pixels: int, ratio: float
) -> None:
    rules = PictureRules(max_bytes=20_000, max_side=side, max_pixels=pixels, ratio=ratio)
    found = opened(fitted(picture(size, kind), rules))
    assert max(found.size) <= side
    assert found.width * found.height <= pixels
    assert len(fitted(picture(size, kind), rules).data) <= 20_000
