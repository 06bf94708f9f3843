"""What every record has: its base, the version and the types of fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tinyml.seeds import LARGEST_SEED

SCHEMA_VERSION = "2.1"


def _a_real_moment(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return text


PATTERNS: dict[str, str] = {}
"""What each pattern of a text means, for people, who cannot be asked to read it."""


def written_as(pattern: str, words: str) -> Any:
    """A field of text that has a `pattern`, which is called `words` where a text has not."""
    PATTERNS[pattern] = words
    return Field(pattern=pattern)


Sha256 = Annotated[str, written_as(r"^[0-9a-f]{64}$", "a SHA-256 of 64 lower-case hexadecimal digits")]
_NEVER = r"\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069/\\"  # not in a name: ends of lines, turns of direction, folders
Name = Annotated[
    str,
    written_as(
        rf"^[^\s{_NEVER}](?:[^{_NEVER}]*[^\s{_NEVER}])?$",
        "a name: one line, no / or \\, no space at its ends, not empty",
    ),
    Field(max_length=255),
]
"""What people call a thing, fit for a line of a table: not empty, no space at its ends."""
FolderName = Annotated[str, written_as(r"^[A-Za-z0-9._-]+$", "a name of letters, digits, dots, _ and -")]
Timestamp = Annotated[
    str,
    written_as(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", "a time in UTC such as 2026-01-31T23:59:59Z"),
    AfterValidator(_a_real_moment),
]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
PositiveInt = Annotated[int, Field(ge=1)]
RGB = tuple[float, float, float]


class Record(BaseModel):
    """The base of all: frozen, keyword-only, strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Provenance(Record):
    """Who made a file, when and with what."""

    created_at: Timestamp
    command: str
    tool_version: str
    packages: dict[str, str] = {}
    limit: PositiveInt | None = None
    """The `--limit` or similar cut that made this a first look rather than a full run; None: nothing was cut."""
