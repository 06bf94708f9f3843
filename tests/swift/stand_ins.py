"""The declarations of the stand-ins in `swift_demo/Stubs`, each with the page of documentation that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .declarations import Declaration, parse
from .package import sources

PAGE = re.compile(r"^\s*/// https://developer\.apple\.com/documentation/(\S+)$")
AVAILABLE = re.compile(r"^\s*@available\(iOS ([\d.]+), macOS ([\d.]+), \*\)$")
EXTENSION = re.compile(r"^\s*(?:@\S+ )*(?:public )?extension\b")


@dataclass(frozen=True)
class StandIn:
    """One declaration of a stand-in."""

    where: str
    page: str
    text: str
    declaration: Declaration
    #: The systems from which on it may be used, (iOS, macOS), where a stand-in says so.
    available: tuple[str, str] | None


def header(lines: list[str]) -> str:
    """A declaration from its first line on, up to its body or its end."""
    text = ""
    for line in lines:
        text = f"{text} {line.strip()}".strip()
        # A default value may be a closure: braces count once the parameters are through.
        is_whole = text.count("(") == text.count(")")
        if is_whole and ("{" in line or not text.endswith((",", "(", ">", "->", "="))):
            break
    return text


def read(path: Path) -> list[StandIn]:
    """The documented declarations of one file; extensions, which have no page of their own, are left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    found = []
    systems: dict[int, tuple[str, str]] = {}
    pending: tuple[str, str] | None = None
    attributed = -1
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if line.strip() == "}":
            systems = {depth: value for depth, value in systems.items() if depth < indent}
        if number > attributed and (available := AVAILABLE.match(line)):
            pending = (available[1], available[2])
        if pending and EXTENSION.match(line):
            # It has no page of its own, and what it says holds for each of its members.
            systems[indent] = pending
            pending = None
        page = PAGE.match(line)
        if not page:
            continue
        following = [text for text in lines[number + 1 :] if "swift-format-ignore" not in text]
        for attribute in list(following):
            if available := AVAILABLE.match(attribute):
                pending = (available[1], available[2])
                following = following[1:]
            elif re.match(r"^\s*@\w+(?:\(.*\))?$", attribute):
                following = following[1:]
            else:
                break
        # What stands between the page and its declaration says nothing of the one that comes after.
        attributed = lines.index(following[0], number + 1) if following else number
        text = header(following)
        if pending:
            systems[indent] = pending
            pending = None
        if EXTENSION.match(text):
            continue
        systems_here = systems[max(systems)] if systems else None
        found.append(StandIn(f"{path.parent.name}:{number + 1}", page[1], text, parse(text), systems_here))
        if "{" not in text or text.rstrip().endswith("}"):
            systems.pop(indent, None)
    return found


def stand_ins(paths: Iterable[Path] | None = None) -> list[StandIn]:
    """Every documented declaration of every stand-in."""
    return [found for path in (paths or sources("Stubs")) if path.name != "Stub.swift" for found in read(path)]
