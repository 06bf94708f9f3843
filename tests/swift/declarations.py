"""Swift declarations as far as they can be compared: kind, name with labels, effects, conformance to Sendable.

Reads both a stand-in's text and the declaration that a page of Apple's documentation shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

KINDS = ("class", "struct", "enum", "protocol", "actor", "func", "init", "subscript", "var", "let", "typealias", "case")
TYPES = frozenset({"class", "struct", "enum", "protocol", "actor"})
KEYWORD = re.compile(rf"\b({'|'.join(KINDS)})\b")
MODIFIERS = re.compile(r"^(?:(?:public|open|final|static|class|convenience|required|override|mutating|nonmutating) )+")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its label (`_` for none) and whether a call may leave it out."""

    label: str
    optional: bool


@dataclass(frozen=True)
class Declaration:
    """What two texts of one declaration must agree in."""

    kind: str
    name: str
    parameters: tuple[Parameter, ...] | None
    is_async: bool
    throws: bool
    conforms: frozenset[str]

    @property
    def full_name(self) -> str:
        """The name as documentation titles it: `load(contentsOf:configuration:)`."""
        if self.parameters is None:
            return self.name
        return f"{self.name}({''.join(parameter.label + ':' for parameter in self.parameters)})"


def closing(text: str, start: int) -> int:
    """The index of the bracket that closes the one at `start`; `->` closes nothing."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] in "([{<":
            depth += 1
        elif text[index] in ")]}" or (text[index] == ">" and text[index - 1] != "-"):
            depth -= 1
            if depth == 0:
                return index
    msg = f"a bracket is never closed: {text[start:]}"
    raise ValueError(msg)


def split(text: str) -> list[str]:
    """The parts between commas outside all brackets."""
    parts, depth, begin = [], 0, 0
    for index, character in enumerate(text):
        if character in "([{<":
            depth += 1
        elif character in ")]}" or (character == ">" and text[index - 1] != "-"):
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[begin:index])
            begin = index + 1
    return [part.strip() for part in [*parts, text[begin:]] if part.strip()]


def without_attributes(text: str) -> str:
    """The text without leading attributes (`@MainActor`, `@available(iOS 18.0, *)`, `@Builder<Self>`)."""
    text = text.strip()
    while match := re.match(r"@\w+", text):
        end = match.end()
        for bracket in "<(":
            if end < len(text) and text[end] == bracket:
                end = closing(text, end) + 1
        text = text[end:].strip()
    return text


def parameter(text: str) -> Parameter:
    label = without_attributes(text).split(":")[0].split()[0]
    return Parameter(label.strip("`"), " = " in text or "..." in text)


def parse(text: str) -> Declaration:
    """Reads a declaration; a body, if any, is left aside.

    Raises:
        ValueError: where the text declares nothing.
    """
    text = without_attributes(" ".join(text.split()))
    found = None
    modifiers = MODIFIERS.match(text)
    rest = text[modifiers.end() :] if modifiers else text
    # `class` is a modifier before a member and the kind before a type.
    if modifiers and re.search(r"\bclass $", modifiers[0]) and not KEYWORD.match(rest):
        rest = "class " + rest
    found = KEYWORD.match(re.sub(r"^(?:unowned|weak|nonisolated|prefix|dynamic|lazy|indirect) ", "", rest))
    if not found:
        msg = f"no declaration: {text}"
        raise ValueError(msg)
    kind = found[1]
    rest = rest[rest.index(kind) + len(kind) :].strip()
    name = kind
    if kind not in {"init", "subscript"}:
        match = re.match(r"`?([\w.]+)`?", rest)
        if not match:
            msg = f"no name: {text}"
            raise ValueError(msg)
        name, rest = match[1], rest[match.end() :]
    rest = rest.lstrip("?!")
    parameters: tuple[Parameter, ...] | None = None
    effects = ""
    conforms: frozenset[str] = frozenset()
    if kind in {"func", "init", "subscript"}:
        if rest.startswith("<"):
            rest = rest[closing(rest, 0) + 1 :]
        end = closing(rest, rest.index("("))
        parameters = tuple(parameter(part) for part in split(rest[rest.index("(") + 1 : end]))
        effects = rest[end + 1 :].split("->")[0].split("{")[0]
    elif kind in TYPES:
        if rest.startswith("<"):
            rest = rest[closing(rest, 0) + 1 :]
        if match := re.match(r"\s*:\s*([^{]*)", rest):
            conforms = frozenset(part.split()[-1] for part in split(match[1].split(" where ")[0]))
    return Declaration(
        "property" if kind in {"var", "let", "case"} else kind,
        name,
        parameters,
        bool(re.search(r"\basync\b", effects)),
        bool(re.search(r"\b(?:re)?throws\b", effects)),
        conforms,
    )
