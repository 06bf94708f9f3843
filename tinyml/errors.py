"""Every error that tinyml raises on purpose.

    TinyMLError                   refused or failed: one sentence for the user (exit code 1)
    ├── UsageError                a value nobody can act on: out of range, contradictory (exit code 2)
    │   └── UnknownNameError      a name no registry knows, with the nearest one that it does
    ├── UnavailableError          right, but not on this machine (exit code 69)
    ├── DataError                 a data set: layout, checksum, an image that is none
    ├── CheckpointError           a checkpoint: missing, truncated, foreign, of another architecture
    ├── TrainingError             training cannot go on: the loss is not finite, memory ran out
    ├── ManifestError             a manifest or result file: not JSON, unknown keys, a version we do not read
    ├── ArtifactError             an exported model: missing, changed since its manifest, of a foreign format
    │   └── PackageError          a Core ML package that is not sound
    │       ├── UnsupportedKindError  a model of another kind than the reference runtime reads
    │       └── UnsupportedOpsError   a sound program with ops that the reference runtime lacks
    ├── FullDiskError             no room to write; what was there before stays
    ├── InputError                what was handed to a model does not fit its description
    ├── VerificationError         an artifact that missed a floor
    └── BenchError                a benchmark that could not be run or compared

A message says what failed, the value seen, what is allowed and what to do, in that order and on one line.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator, MutableMapping


class TinyMLError(Exception):
    """The base of all errors for a user's eyes; `str(error)` is one line."""

    def __init__(self, what: str, *, value: object = None, allowed: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.value = value
        self.allowed = allowed
        self.hint = hint
        parts = [what if value is None else f"{what}: {_shown(value)}"]
        if allowed is not None:
            parts.append(f"allowed: {allowed}")
        if hint is not None:
            parts.append(hint)
        super().__init__(" ".join("; ".join(parts).split()))

    def __reduce__(self) -> tuple[object, ...]:
        # Keyword-only arguments do not survive the default pickling, and workers send errors home.
        return (_restore, (type(self), self.args, self.__dict__))


def reason_of(error: BaseException) -> str:
    """What a system or a library says of its own failure: one line, without the system's number for it."""
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(told.split()) or type(error).__name__


def _shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 300 else f"{text[:297]}..."


def _restore(kind: type[TinyMLError], args: tuple[object, ...], state: dict[str, object]) -> TinyMLError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(state)
    return error


class UsageError(TinyMLError):
    """A value that cannot be acted on."""


class UnknownNameError(UsageError):
    """A name that is not among `names`; says the nearest one."""

    def __init__(self, kind: str, value: str, names: Iterable[str]) -> None:
        known = sorted(names)
        near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.5)
        super().__init__(
            f"unknown {kind}",
            value=value,
            allowed=", ".join(known) or "none is registered",
            hint=f"did you mean {near[0]!r}?" if near else None,
        )


class UnavailableError(TinyMLError):
    """Right, but impossible on this machine."""


class DataError(TinyMLError):
    """A data set that is missing, incomplete or unreadable."""


class CheckpointError(TinyMLError):
    """A checkpoint that cannot be loaded or saved."""


class TrainingError(TinyMLError):
    """Training that cannot go on."""


class ManifestError(TinyMLError):
    """A JSON file of ours that does not fit its schema."""


class ArtifactError(TinyMLError):
    """An exported model that is missing, changed or foreign."""


class PackageError(ArtifactError):
    """A Core ML package that is not sound."""


class UnsupportedKindError(PackageError):
    """A model of a kind that the reference runtime does not read; Core ML may."""


class UnsupportedOpsError(PackageError):
    """A program with ops that the reference runtime does not implement; `ops` lists all of them."""

    def __init__(self, what: str, *, ops: Iterable[str], hint: str | None = None) -> None:
        self.ops = tuple(sorted(set(ops)))
        super().__init__(what, value=", ".join(self.ops), hint=hint)


class InputError(TinyMLError):
    """Inputs that do not fit a model's description."""


class VerificationError(TinyMLError):
    """An artifact that missed a floor of its variant."""


class FullDiskError(TinyMLError):
    """No room to write; whatever was there before is as it was."""


class BenchError(TinyMLError):
    """A benchmark that could not be run, read or compared."""


@contextlib.contextmanager
def noted(failures: MutableMapping[str, TinyMLError], name: str) -> Iterator[None]:
    """Notes under `name` what fails of one thing among several, so that the others are done all the same.

    A full disk is the machine's, and stops them all.
    """
    try:
        yield
    except FullDiskError:
        raise
    except TinyMLError as error:
        failures[name] = error
