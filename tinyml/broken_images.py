"""What Pillow raises on pictures that are damaged or absurd: more than one kind, and not one of its own."""

from __future__ import annotations

import struct

from PIL import Image

BROKEN_IMAGE: tuple[type[Exception], ...] = (
    OSError,
    SyntaxError,  # a broken PNG
    ValueError,  # a PNG's text that unpacks to more than a megabyte
    TypeError,
    EOFError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    AttributeError,
    struct.error,
    Image.DecompressionBombError,
)
