import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from torchvision.transforms import v2

from tinyml.errors import DataError
from tinyml.schema import Preprocess
from tinyml.trainer.data import load_image
from tinyml.trainer.data.image_formats import readable_formats
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
    assert loaded.min() >= 254  # white, but for the rounding of a color conversion


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


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_a_png_with_one_clear_color_lies_on_white(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (64, 64), 0)
    image.save(tmp_path / "a.png", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert load_image(tmp_path / "a.png", PREPROCESS).min() == 255
    Image.fromarray(np.full((64, 64), 300, dtype=np.uint16)).save(tmp_path / "deep.png", transparency=300)
    assert load_image(tmp_path / "deep.png", PREPROCESS).min() == 255


def test_deep_color_with_one_clear_color_lies_on_white(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0x1234, 0x5678, 0x9ABC) * 32 + bytes(6 * 32) for _ in range(64))
    chunks = {
        b"IHDR": struct.pack(">2I5B", 64, 64, 16, 2, 0, 0, 0),
        b"tRNS": struct.pack(">3H", 0x1234, 0x5678, 0x9ABC),
        b"IDAT": zlib.compress(rows),
        b"IEND": b"",
    }
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*pair) for pair in chunks.items()))
    loaded = load_image(tmp_path / "a.png", PREPROCESS)
    assert loaded[:, :32].min() == 255
    assert loaded[:, 32:].max() == 0


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def test_a_png_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    noise(64, 64).save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    assert load_image(tmp_path / "a.png", PREPROCESS).shape == (64, 64, 3)
    end = content.index(b"IEND") - 4  # the pixels' checksum lies just before the last chunk
    content[end - 1] ^= 1
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=r"damaged image.*checksum.*a\.png"):
        load_image(tmp_path / "a.png", PREPROCESS)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_large_jpeg_is_decoded_smaller(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (9600, 9400))
    image.paste(Image.new(mode, (9600, 4700), "white"))
    image.save(tmp_path / "large.jpg")  # 90 megapixels
    loaded = load_image(tmp_path / "large.jpg", PREPROCESS).astype(int)
    assert loaded[:31].min() >= 254
    assert loaded[33:].max() <= 1


def test_a_jpeg_decoded_smaller_looks_the_same(tmp_path: Path) -> None:
    noise(60, 60).resize((2400, 2000), Image.Resampling.BICUBIC).save(tmp_path / "a.jpg", quality=90)
    whole = load_image(tmp_path / "a.jpg", PREPROCESS).astype(int)
    smaller = load_image(tmp_path / "a.jpg", PREPROCESS, large_pixels=1_000_000).astype(int)
    assert (whole != smaller).any()  # it was
    assert np.abs(whole - smaller).max() <= 3


def test_a_jpeg_beyond_the_limit_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    noise(64, 64).save(tmp_path / "a.jpg")
    content = bytearray((tmp_path / "a.jpg").read_bytes())
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">2H", 65000, 65000)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(DataError, match=r"image too large.*65000x65000.*in a JPEG 268"):
        load_image(tmp_path / "a.jpg", PREPROCESS)


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0, 255, [0, 255]), (10, 200, [10, 200]), (0, 65535, [0, 255]), (256, 512, [1, 2])]
)
def test_integers_of_32_bits_are_taken_for_8_or_16(tmp_path: Path, low: int, high: int, expected: list[int]) -> None:
    values = np.full((64, 64), low, dtype=np.int32)
    values[:32] = high
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert np.unique(load_image(tmp_path / "a.tif", PREPROCESS)).tolist() == expected


@pytest.mark.parametrize("value", [-1, 65536])
def test_other_integers_of_32_bits_are_refused(tmp_path: Path, value: int) -> None:
    Image.fromarray(np.full((64, 64), value, dtype=np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(DataError, match=r"a\.tif.*allowed: values of 0 to 255 or 0 to 65535"):
        load_image(tmp_path / "a.tif", PREPROCESS)


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_xmp_orientation_is_applied(tmp_path: Path, ending: str) -> None:
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 64, 32))  # white above
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="3"/></rdf:RDF></x:xmpmeta>'
    )
    path = tmp_path / f"a.{ending}"
    if ending == "png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode())
        image.save(path, pnginfo=info)
    elif ending == "tif":
        image.save(path, tiffinfo={700: xmp})
    else:
        image.save(path, xmp=xmp, quality=100)
    loaded = load_image(path, PREPROCESS)
    assert loaded[:31].max() <= 8
    assert loaded[33:].min() >= 247


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_exif_orientation_in_every_format(tmp_path: Path, ending: str) -> None:
    image = Image.new("RGB", (64, 64))
    image.paste((255, 255, 255), (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = 3
    image.save(tmp_path / f"a.{ending}", exif=exif)
    assert load_image(tmp_path / f"a.{ending}", PREPROCESS)[:31].max() <= 8


def test_what_is_no_file_never_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    for path, message in ((tmp_path / "pipe.png", "a pipe or device"), (tmp_path / "gone.png", "not there")):
        with pytest.raises(DataError, match=message):
            load_image(path, PREPROCESS)
    with pytest.raises(DataError, match="a pipe or device"):
        load_image("/dev/zero", PREPROCESS)


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
@given(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF"]), st.data())
def test_damage_never_raises_anything_else(form: str, data: st.DataObject) -> None:
    if form not in readable_formats():
        return
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
