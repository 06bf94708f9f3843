"""Draws the app's icons: light, dark and tinted for iOS, a rounded tile with a margin for macOS.

A maintainer's script: `python -m tests.swift.make_icons` writes the asset catalog's pictures.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image, ImageDraw

SET = Path(__file__).parents[2] / "swift_demo/App/TinyMLDemo/Assets.xcassets/AppIcon.appiconset"
DIGIT = ("01110", "10001", "10101", "10001", "01110")
BARS = (0.95, 0.56, 0.29)
Color = tuple[int, int, int]

#: top and bottom of the ground, a lit pixel, an unlit one, a bar and its rail
LIGHT: tuple[Color, ...] = (
    (24, 72, 152),
    (40, 128, 220),
    (255, 255, 255),
    (96, 150, 220),
    (255, 205, 80),
    (64, 108, 190),
)
DARK: tuple[Color, ...] = ((12, 16, 26), (24, 30, 46), (226, 236, 250), (52, 78, 120), (240, 186, 64), (44, 54, 78))
# The system colors the tinted icon by its brightness, so it is gray.
TINTED: tuple[Color, ...] = ((10, 10, 10), (30, 30, 30), (245, 245, 245), (92, 92, 92), (200, 200, 200), (60, 60, 60))
MAC_SIZES = (16, 32, 64, 128, 256, 512, 1024)


def picture(colors: tuple[Color, ...], side: int = 1024) -> Image.Image:
    """A square icon without transparency, `side` pixels wide."""
    top, bottom, lit, unlit, bar, rail = colors
    image = Image.new("RGB", (1024, 1024))
    draw = ImageDraw.Draw(image)
    for y in range(1024):
        draw.line(
            [(0, y), (1024, y)],
            fill="#" + "".join(f"{round(a + (b - a) * y / 1023):02x}" for a, b in zip(top, bottom, strict=True)),
        )
    for row, line in enumerate(DIGIT):
        for column, pixel in enumerate(line):
            x, y = 236 + 116 * column, 150 + 116 * row
            draw.rounded_rectangle([x, y, x + 90, y + 90], 24, fill=lit if pixel == "1" else unlit)
    for row, length in enumerate(BARS):
        y = 780 + 70 * row
        draw.rounded_rectangle([232, y, 792, y + 36], 18, fill=rail)
        draw.rounded_rectangle([232, y, 232 + round(560 * length), y + 36], 18, fill=bar)
    return image.resize((side, side), Image.Resampling.LANCZOS)


def mac(side: int) -> Image.Image:
    """A rounded tile that fills 824 of 1024 pixels, as the system's own icons do; transparent around it."""
    mask = Image.new("L", (4096, 4096))
    ImageDraw.Draw(mask).rounded_rectangle([400, 400, 3695, 3695], 740, fill=255)
    tile = Image.new("RGBA", (1024, 1024))
    tile.paste(picture(LIGHT, 824), (100, 100))
    tile.putalpha(mask.resize((1024, 1024), Image.Resampling.LANCZOS))
    return tile.resize((side, side), Image.Resampling.LANCZOS)


def contents() -> dict[str, object]:
    """The asset catalog's list of pictures."""
    ios = {"idiom": "universal", "platform": "ios", "size": "1024x1024"}
    images: list[dict[str, object]] = [{"filename": "icon-1024.png", **ios}]
    for name in ("dark", "tinted"):
        appearance = [{"appearance": "luminosity", "value": name}]
        images.append({"appearances": appearance, "filename": f"icon-{name}.png", **ios})
    images += [
        {
            "filename": f"mac-{points * scale}.png",
            "idiom": "mac",
            "scale": f"{scale}x",
            "size": f"{points}x{points}",
        }
        for points in (16, 32, 128, 256, 512)
        for scale in (1, 2)
    ]
    return {"images": images, "info": {"author": "xcode", "version": 1}}


def main() -> None:
    for old in SET.glob("*.png"):
        old.unlink()
    for name, colors in (("1024", LIGHT), ("dark", DARK), ("tinted", TINTED)):
        picture(colors).save(SET / f"icon-{name}.png", optimize=True)
    for side in MAC_SIZES:
        mac(side).save(SET / f"mac-{side}.png", optimize=True)
    (SET / "Contents.json").write_text(json.dumps(contents(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
