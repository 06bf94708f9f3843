"""The localizable texts of the Swift sources: the screens' phrases, and literals where a key is looked up."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "swift_demo"
SOURCES = PACKAGE / "Sources"
CORE = SOURCES / "TinyMLCore"
SCREENS = CORE / "Screens"
#: Files of the screens that hold names and numbers, the same in every language.
UNTRANSLATED = {"Formats.swift", "Phrase.swift", "Transcript.swift"}

LITERAL = r'"((?:[^"\\]|\\.)*)"'
LOCALIZED = re.compile(
    r"\b(?:Text|Label|Button|Section|Toggle|Picker|LabeledContent|NavigationLink|ContentUnavailableView"
    rf"|navigationTitle|alert|value|Phrase)\(\s*{LITERAL}"
)
#: A phrase of a screen begins like a sentence; symbols and values in it do not.
PHRASE = re.compile(r'(?<!verbatim\()"([A-Z](?:[^"\\]|\\.)*)"')
#: Where any other source of the core says something to the user.
SAID = re.compile(rf"(?:\bPhrase\(|\brequirement: |\bfailure\(|\bproblem\()\s*{LITERAL}")
#: Where an intent or a control does; a shortcut's spoken phrases lie in a catalog of their own.
OFFERED = re.compile(
    r"(?:LocalizedStringResource = |IntentDescription\(|\b[tT]itle: |Title: |Label\(|displayName\(|description\()"
    rf"\s*{LITERAL}"
)


def code(path: Path) -> str:
    """A source without its comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("//"))


def phrases(source: str) -> set[str]:
    """The phrases in the source of a screen."""
    return {text for text in PHRASE.findall(source) if "\\(" not in text}


def localizable_texts() -> set[str]:
    """Keys that the app's string catalog must have."""
    found: set[str] = set()
    for path in sorted((SOURCES / "TinyMLUI").rglob("*.swift")):
        source = code(path)
        found.update(LOCALIZED.findall(source))
        found.update(re.findall(rf"{LITERAL} as Phrase", source))
    for path in sorted([*CORE.rglob("*.swift"), *(SOURCES / "TinyMLApple").rglob("*.swift")]):
        if path.parent != SCREENS:
            found.update(SAID.findall(code(path)))
        elif path.name not in UNTRANSLATED:
            found |= phrases(code(path))
    return found | offered_texts("Shared", "TinyMLDemo")


def offered_texts(*folders: str) -> set[str]:
    """The texts of intents and controls in folders of the app."""
    paths = [path for folder in folders for path in sorted((PACKAGE / "App" / folder).rglob("*.swift"))]
    return {text for path in paths for text in OFFERED.findall(code(path))}


def literals() -> set[str]:
    """Every string literal of the package: what a catalog holds must be one of them."""
    folders = [SOURCES, *(PACKAGE / "App" / name for name in ("Shared", "TinyMLControls", "TinyMLDemo"))]
    paths = [path for folder in folders for path in folder.rglob("*.swift")]
    return {text for path in paths for text in re.findall(LITERAL, code(path))}
