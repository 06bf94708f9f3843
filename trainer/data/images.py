"""One image file to one uint8 array, by the rule that `Preprocess` states."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tinyml.broken_images import BROKEN_IMAGE
from tinyml.errors import DataError, reason_of
from tinyml.schema import Preprocess

from .image_formats import readable_formats

MAX_PIXELS = 89_478_485
"""Of an image that is decoded at its full size: Pillow's own limit, some 350 MB of memory."""

MAX_JPEG_PIXELS = 1 << 28
"""Of a JPEG, whose decoder makes it smaller by itself: above the largest of any phone (200 megapixels)."""

MAX_FILE_BYTES = 1 << 30

LARGE_PIXELS = 24_000_000
"""Above this, images are decoded one at a time, and JPEGs smaller than they are."""

_DRAFT = 8
"""A JPEG is decoded to at least so many times the size it is resized to, so that the result hardly changes."""

_MAX_ELONGATION = 100
_ORIENTATION = 0x0112


_one_at_a_time = threading.Lock()


def load_image(path: Path | str, preprocess: Preprocess, *, large_pixels: int = LARGE_PIXELS) -> npt.NDArray[np.uint8]:
    """The image in `path` as uint8 [size, size, 3] RGB, resized and cropped by `preprocess`.

    EXIF and XMP orientation is applied; transparency lies on white; of 16 bits the upper 8 are kept; of an animation
    the first frame. A JPEG of more than `large_pixels` is decoded smaller than it is. Raises DataError that names the
    file if it is no image.
    """
    with quiet_pillow():
        return decode(Path(path), preprocess, shown(path), large_pixels=large_pixels)


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silences Pillow's remarks about files that it can read, and puts our limits in the place of its own.

    Changes the process's warning filters and Pillow's limit, so it belongs in one thread, around the others.
    """
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b.*")
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def decode(
    file: Path | IO[bytes], preprocess: Preprocess, name: str, *, large_pixels: int = LARGE_PIXELS
) -> npt.NDArray[np.uint8]:
    """`load_image` for many threads: the caller holds `quiet_pillow` around them. Errors call the file `name`."""
    content = read_file(file, name) if isinstance(file, Path) else file.read()
    try:
        with Image.open(BytesIO(content), formats=readable_formats()) as image:
            _check_size(image, name)
            if image.format == "PNG":
                _check_sums(content)
            pixels = image.width * image.height
            with _one_at_a_time if pixels > large_pixels else contextlib.nullcontext():
                if pixels > large_pixels:
                    _draft(image, preprocess)
                return np.asarray(_fitted(_rgb(image, name), preprocess))
    except UnidentifiedImageError:
        raise DataError("not an image, or not of a known format", value=name) from None
    except BROKEN_IMAGE as error:
        raise DataError(f"damaged image ({reason_of(error)})", value=name) from None


def read_file(path: Path, name: str) -> bytes:
    """The content of a regular file; raises DataError that calls it `name` for anything else, and never waits.

    Opened without blocking, since a named pipe that nobody writes to would hold the process forever.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise DataError(_missing(path), value=name) from None
    except PermissionError:
        raise DataError("not allowed to read the image", value=name) from None
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the image ({reason_of(error)})", value=name) from None
    try:
        status = os.fstat(handle)
        if stat.S_ISDIR(status.st_mode):
            raise DataError("a folder, not an image", value=name)
        if not stat.S_ISREG(status.st_mode):
            raise DataError("a pipe or device, not an image", value=name)
        if status.st_size > MAX_FILE_BYTES:
            raise DataError("image file too large", value=name, allowed=f"up to {MAX_FILE_BYTES >> 20} MiB")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise DataError(f"cannot read the image ({reason_of(error)})", value=name) from None
    finally:
        os.close(handle)


def shown(path: Path | str) -> str:
    """A path as text that every terminal and JSON file takes, bytes that are no UTF-8 written as hexadecimal."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _missing(path: Path) -> str:
    return "a link to an image that is not there" if path.is_symlink() else "no such image"


def _check_size(image: Image.Image, name: str) -> None:
    """Refuses what would take too much memory or time, before anything is decoded."""
    pixels = image.width * image.height
    if pixels > (MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS):
        raise DataError(
            "image too large",
            value=f"{name}, {image.width}x{image.height}",
            allowed=f"up to {MAX_PIXELS / 1e6:.0f} megapixels, in a JPEG {MAX_JPEG_PIXELS / 1e6:.0f}",
        )
    if max(image.size) > _MAX_ELONGATION * min(image.size):
        raise DataError(
            "image too elongated to crop", value=f"{name}, {image.width}x{image.height}", allowed="1:100 to 100:1"
        )


def _check_sums(png: bytes) -> None:
    """Raises SyntaxError where a chunk's checksum is wrong; decoding alone does not look at those of the pixels."""
    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        image.verify()


def _draft(image: Image.Image, preprocess: Preprocess) -> None:
    """Lets a JPEG's decoder make it smaller, by up to 8, with at least `_DRAFT` times the size that is needed left."""
    if image.format in ("JPEG", "MPO"):
        least = _DRAFT * preprocess.resize
        scale = min(image.size) / least
        if scale > 1:
            image.draft(None, (int(image.width / scale), int(image.height / scale)))


def _rgb(image: Image.Image, name: str) -> Image.Image:
    upright = ImageOps.exif_transpose(image) if _is_turned(image) else image
    if upright.mode.startswith("I"):
        return _from_integers(upright, name)
    if upright.mode == "F":
        raise DataError("an image of floating-point values", value=name, allowed="8 or 16 bits a channel")
    clear = upright.info.get("transparency")
    if isinstance(clear, tuple) and max(clear) > 0xFF:
        # Of 16 bits a channel Pillow keeps the upper 8 of the pixels, but all of the one color that is clear.
        upright.info["transparency"] = tuple(value >> 8 for value in clear)
    if upright.has_transparency_data:
        opaque = upright.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return Image.alpha_composite(white, opaque).convert("RGB")
    return upright.convert("RGB")


def _is_turned(image: Image.Image) -> bool:
    """Whether EXIF, or else XMP, says that the image lies on its side; a damaged block says nothing."""
    try:
        return image.getexif().get(_ORIENTATION, 1) in range(2, 9)
    except BROKEN_IMAGE:
        return False


def _from_integers(image: Image.Image, name: str) -> Image.Image:
    """Gray values of 16 bits to their upper 8; 32-bit integers, which have no white of their own, by how far they go.

    Up to 255 they are taken for 8 bits, up to 65,535 for 16.
    """
    values = np.asarray(image).astype(np.int64)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 0xFFFF:
        raise DataError(
            "an image of 32-bit integers", value=f"{name}, {low} to {high}", allowed="values of 0 to 255 or 0 to 65535"
        )
    deep = image.mode != "I" or image.format != "TIFF" or high > 0xFF
    gray = (values >> 8 if deep else values).astype(np.uint8)
    if isinstance(clear := image.info.get("transparency"), int):
        gray[values == clear] = 0xFF
    return Image.fromarray(gray).convert("RGB")


def _fitted(image: Image.Image, preprocess: Preprocess) -> Image.Image:
    """The shorter side resized, the center cropped; sizes and offsets rounded as torchvision rounds them."""
    width, height = image.size
    short, size = min(width, height), preprocess.input_size
    if short != preprocess.resize:
        scaled = (int(preprocess.resize * width / short), int(preprocess.resize * height / short))
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    if image.size != (size, size):
        left, top = round((image.width - size) / 2), round((image.height - size) / 2)
        image = image.crop((left, top, left + size, top + size))
    return image
