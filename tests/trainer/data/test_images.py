import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from tinyml.errors import DataError
from tinyml.schema import Preprocess
from tinyml.trainer.data import load_image
from tinyml.trainer.data.images import decode, quiet_pillow

PREPROCESS = Preprocess()


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    shape = (height, width, channels) if channels > 1 else (height, width)
    return Image.fromarray(np.random.RandomState(1).randint(0, 256, shape, dtype=np.uint8))


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (64, 99), (200, 133), (37, 51), (640, 480), (1, 1), (3, 200)])
@pytest.mark.parametrize("preprocess", [PREPROCESS, Preprocess(input_size=48, resize=56)])
def test_resize_and_crop_are_those_of_torchvision(
    tmp_path: Path, size: tuple[int, int], preprocess: Preprocess
) -> None:
    image = noise(*size)
    image.save(tmp_path / "a.png")
    # The oracle resizes with the same Pillow filter, so the agreement is exact.
    oracle = v2.Compose([v2.Resize(preprocess.resize), v2.CenterCrop(preprocess.input_size)])
    np.testing.assert_array_equal(load_image(tmp_path / "a.png", preprocess), np.asarray(oracle(image)))


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "YCbCr"])
@pytest.mark.parametrize("ending", ["tif", "PNG", "jpg", "gif", "bmp", "webp"])
def test_modes_and_formats(tmp_path: Path, mode: str, ending: str) -> None:
    image = Image.new("RGB", (70, 90), (255, 255, 255)).convert(mode)
    try:
        image.save(tmp_path / f"a.{ending}")
    except (OSError, ValueError):
        pytest.skip(f"{ending} has no {mode}")
    loaded = load_image(tmp_path / f"a.{ending}", PREPROCESS)
    assert loaded.shape == (64, 64, 3)
    assert loaded.dtype == np.uint8
    assert loaded.min() >= 254  # white, but for the rounding of a colour conversion


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("LA", (64, 64), (0, 255)).save(tmp_path / "solid.png")
    palette = Image.new("RGB", (64, 64), (9, 9, 9)).quantize(2)
    palette.save(tmp_path / "palette.png", transparency=palette.getpixel((0, 0)))
    assert load_image(tmp_path / "clear.png", PREPROCESS).min() == 255
    assert load_image(tmp_path / "solid.png", PREPROCESS).max() == 0
    assert load_image(tmp_path / "palette.png", PREPROCESS).min() == 255


def test_sixteen_bits_keep_the_upper_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 64), 0x7FFF, dtype=np.uint16)).save(tmp_path / "a.png")
    assert np.unique(load_image(tmp_path / "a.png", PREPROCESS)).tolist() == [0x7F]


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 64, 32))  # white above
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    image.save(tmp_path / "a.png", exif=exif)
    loaded = load_image(tmp_path / "a.png", PREPROCESS)
    assert loaded[:32].max() == 0
    assert loaded[32:].min() == 255


def bad_files(folder: Path) -> dict[str, Path]:
    buffer = io.BytesIO()
    noise(100, 100).save(buffer, "JPEG")
    contents = {
        "not an image": b"hello",
        "empty": b"",
        "damaged image": buffer.getvalue()[:3000],
        "svg": b"<svg/>",
    }
    paths = {}
    for name, content in contents.items():
        paths[name] = folder / f"{name}.jpg"
        paths[name].write_bytes(content)
    Image.fromarray(np.zeros((64, 64), dtype=np.float32)).save(folder / "float.tif")
    Image.new("L", (1, 101)).save(folder / "long.png")
    return {**paths, "floating-point": folder / "float.tif", "too elongated": folder / "long.png"}


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    for path in (*bad_files(tmp_path).values(), tmp_path / "missing.png", tmp_path):
        with pytest.raises(DataError) as caught:
            load_image(path, PREPROCESS)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_bombs_are_refused(tmp_path: Path) -> None:
    Image.new("1", (9500, 9500)).save(tmp_path / "huge.png")
    assert (tmp_path / "huge.png").stat().st_size < 20_000
    with pytest.raises(DataError, match=r"huge\.png, 9500x9500'; allowed: up to 89 megapixels, in a JPEG 268"):
        load_image(tmp_path / "huge.png", PREPROCESS)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"]), st.data())
def test_damage_never_raises_anything_else(form: str, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    noise(20, 30).save(buffer, form)
    content = bytearray(buffer.getvalue()[: data.draw(st.integers(1, len(buffer.getvalue())))])
    for _ in range(data.draw(st.integers(0, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with quiet_pillow():
        try:
            assert decode(io.BytesIO(bytes(content)), PREPROCESS, "x").shape == (64, 64, 3)
        except DataError as error:
            assert "x" in str(error)  # noqa: PT017
