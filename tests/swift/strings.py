"""The localizable texts of the Swift sources: every literal where SwiftUI looks a key up."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "swift_demo" / "Sources" / "TinyMLUI"

LITERAL = r'"((?:[^"\\]|\\.)*)"'
LOCALIZED = re.compile(
    r"\b(?:Text|Label|Button|Section|Toggle|Picker|LabeledContent|NavigationLink|ContentUnavailableView|row|series"
    rf"|navigationTitle|alert|value)\(\s*{LITERAL}"
)
KEY_SWITCH = re.compile(r"LocalizedStringKey \{\n(.*?)\n    \}", re.DOTALL)


def localizable_texts() -> set[str]:
    """All keys; those of computed `LocalizedStringKey` properties included."""
    found: set[str] = set()
    for path in sorted(SOURCES.rglob("*.swift")):
        source = path.read_text(encoding="utf-8")
        found.update(LOCALIZED.findall(source))
        for block in KEY_SWITCH.findall(source):
            found.update(re.findall(rf"case [^\n]*: {LITERAL}", block))
    return found
