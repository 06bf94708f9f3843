"""What every record has: its base, the version and the types of fields."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMA_VERSION = "2.1"


def _a_real_moment(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_NEVER = r"\p{Cc}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069/\\"  # not in a name: ends of lines, turns of direction, folders
Name = Annotated[str, Field(pattern=rf"^[^\s{_NEVER}](?:[^{_NEVER}]*[^\s{_NEVER}])?$", max_length=255)]
"""What people call a thing, fit for a line of a table: not empty, no space at its ends."""
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_a_real_moment)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
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
