"""One image file to one uint8 array, by the rule that `Preprocess` states."""

from __future__ import annotations

import contextlib
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from tinyml.errors import DataError
from tinyml.schema import Preprocess

ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
"""The file endings, in lower case, taken for images in a folder."""

# Pillow knows more, among them EPS, which it hands to Ghostscript.
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")

_MAX_ELONGATION = 100

_BROKEN = (
    OSError,
    SyntaxError,  # a broken PNG
    ValueError,
    TypeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow's decoders raise on damaged files."""


def load_image(path: Path | str, preprocess: Preprocess) -> npt.NDArray[np.uint8]:
    """The image in `path` as uint8 [size, size, 3] RGB, resized and cropped by `preprocess`.

    EXIF orientation is applied; transparency lies on white; of 16 bits the upper 8 are kept; of an animation the
    first frame. Raises DataError that names the file if it is no image.
    """
    with quiet_pillow():
        return decode(Path(path), preprocess, str(path))


@contextlib.contextmanager
def quiet_pillow() -> Iterator[None]:
    """Silences Pillow's remarks about files that it can read, and refuses decompression bombs.

    Changes the process's warning filters, so it belongs in one thread, around the others.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\b.*")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode(file: Path | IO[bytes], preprocess: Preprocess, name: str) -> npt.NDArray[np.uint8]:
    """`load_image` for many threads: the caller holds `quiet_pillow` around them. Errors call the file `name`."""
    try:
        with Image.open(file, formats=_FORMATS) as image:
            rgb = _rgb(image, name)
    except FileNotFoundError:
        raise DataError("no such image", value=name) from None
    except IsADirectoryError:
        raise DataError("a folder, not an image", value=name) from None
    except PermissionError:
        raise DataError("not allowed to read the image", value=name) from None
    except UnidentifiedImageError:
        raise DataError("not an image, or not of a known format", value=name) from None
    except _BROKEN as error:
        raise DataError(f"damaged image ({error})", value=name) from None
    return np.asarray(_fitted(rgb, preprocess, name))


def _rgb(image: Image.Image, name: str) -> Image.Image:
    if image.mode == "RGB" and "exif" not in image.info:
        image.load()
        return image
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I"):
        return Image.fromarray((np.asarray(upright).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if upright.mode == "F":
        raise DataError("an image of floating-point values", value=name, allowed="8 or 16 bits a channel")
    if upright.has_transparency_data:
        opaque = upright.convert("RGBA")
        white = Image.new("RGBA", opaque.size, "white")
        return Image.alpha_composite(white, opaque).convert("RGB")
    return upright.convert("RGB")


def _fitted(image: Image.Image, preprocess: Preprocess, name: str) -> Image.Image:
    """The shorter side resized, the centre cropped; sizes and offsets rounded as torchvision rounds them."""
    width, height = image.size
    short, size = min(width, height), preprocess.input_size
    if max(width, height) > _MAX_ELONGATION * short:
        raise DataError("image too elongated to crop", value=f"{name}, {width}x{height}", allowed="1:100 to 100:1")
    if short != preprocess.resize:
        scaled = (int(preprocess.resize * width / short), int(preprocess.resize * height / short))
        image = image.resize(scaled, Image.Resampling.BILINEAR)
    if image.size != (size, size):
        left, top = round((image.width - size) / 2), round((image.height - size) / 2)
        image = image.crop((left, top, left + size, top + size))
    return image
