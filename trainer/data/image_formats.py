"""Which image formats are read, by which file endings, and what a format needs that cannot be read here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import features


@dataclass(frozen=True, kw_only=True)
class ImageFormat:
    """A format by Pillow's name for it."""

    name: str
    endings: tuple[str, ...]
    """Of file names, in lower case."""
    available: Callable[[], str | None] = lambda: None
    """Why it cannot be read here; None: it can. Makes Pillow know it where it is another library's."""


def _avif() -> str | None:
    return None if features.check("avif") else "this Pillow was built without AVIF: pip install --upgrade pillow"


def _heif() -> str | None:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return "read by pillow-heif: pip install pillow-heif"
    register_heif_opener(thumbnails=False)
    return None


# Pillow knows more, among them EPS, which it hands to Ghostscript.
FORMATS = (
    ImageFormat(name="JPEG", endings=(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp")),
    ImageFormat(name="PNG", endings=(".png", ".apng")),
    ImageFormat(name="GIF", endings=(".gif",)),
    ImageFormat(name="BMP", endings=(".bmp", ".dib")),
    ImageFormat(name="WEBP", endings=(".webp",)),
    ImageFormat(name="TIFF", endings=(".tif", ".tiff")),
    ImageFormat(name="PPM", endings=(".ppm", ".pgm", ".pbm", ".pnm")),
    ImageFormat(name="AVIF", endings=(".avif",), available=_avif),
    ImageFormat(name="HEIF", endings=(".heic", ".heif", ".hif"), available=_heif),
)


@cache
def readable_formats() -> tuple[str, ...]:
    """The names of the formats that can be read here."""
    return tuple(each.name for each in FORMATS if each.available() is None)


@cache
def readable_endings() -> frozenset[str]:
    """The file endings, in lower case, taken for images in a folder."""
    return frozenset(ending for each in FORMATS if each.name in readable_formats() for ending in each.endings)


def obstacle(ending: str) -> str | None:
    """What stands against reading files of an image format; None: nothing, or it is no ending of one."""
    for each in FORMATS:
        if ending.lower() in each.endings:
            return each.available()
    return None
