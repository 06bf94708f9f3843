"""The localizable texts of the Swift sources: the screens' phrases, and literals where SwiftUI looks a key up."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "swift_demo" / "Sources"
SCREENS = SOURCES / "TinyMLCore" / "Screens"
#: Files of the screens that hold names and numbers, the same in every language.
UNTRANSLATED = {"Formats.swift", "Transcript.swift"}

LITERAL = r'"((?:[^"\\]|\\.)*)"'
LOCALIZED = re.compile(
    r"\b(?:Text|Label|Button|Section|Toggle|Picker|LabeledContent|NavigationLink|ContentUnavailableView"
    rf"|navigationTitle|alert|value|Phrase)\(\s*{LITERAL}"
)
#: A phrase of a screen begins like a sentence; symbols and values in it do not.
PHRASE = re.compile(r'(?<!verbatim\()"([A-Z](?:[^"\\]|\\.)*)"')


def phrases(source: str) -> set[str]:
    """The phrases in the source of a screen."""
    code = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith("//"))
    return {text for text in PHRASE.findall(code) if "\\(" not in text}


def localizable_texts() -> set[str]:
    """All keys of the string catalog."""
    found: set[str] = set()
    for path in sorted((SOURCES / "TinyMLUI").rglob("*.swift")):
        source = path.read_text(encoding="utf-8")
        found.update(LOCALIZED.findall(source))
        found.update(re.findall(rf"{LITERAL} as Phrase", source))
    for path in sorted(SCREENS.glob("*.swift")):
        if path.name not in UNTRANSLATED:
            found |= phrases(path.read_text(encoding="utf-8"))
    return found
