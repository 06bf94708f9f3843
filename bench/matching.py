"""Which results are held against which: the same case of two sets of runs, or two cases within one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import BenchError, UnknownNameError
from tinyml.schema import BenchCase, BenchResult, BenchRun
from tinyml.store import file_sha256

from .jobs import FOREIGN_FORMATS
from .names import Names

_LEAST_OF_A_CHECKSUM = 6


@dataclass(frozen=True)
class Runs:
    """Runs taken as one: their rounds are pooled, which is how a difference too small for one run is found."""

    runs: tuple[BenchRun, ...]

    @property
    def name(self) -> str:
        """The ids."""
        return ",".join(run.id for run in self.runs)


@dataclass(frozen=True, kw_only=True)
class Match:
    """Two sides to hold against each other, what is ok of them; an empty one was not measured."""

    case: str
    run: str
    """What the second side is called."""
    a: tuple[BenchResult, ...]
    b: tuple[BenchResult, ...]
    alike: bool = True
    """Whether both were measured in one environment, so that what befell rounds in turn befell both sides."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """All of a comparison."""

    base: str
    """What the first side is called."""
    others: tuple[str, ...]
    matches: tuple[Match, ...]
    warnings: tuple[str, ...]


def as_runs(runs: Runs | BenchRun) -> Runs:
    """A run as one of one."""
    return Runs((runs,)) if isinstance(runs, BenchRun) else runs


def matches_between(a: Runs | BenchRun, others: Iterable[Runs | BenchRun], *, force: bool = False) -> Matches:
    """Every case of the base or another, with its results in both.

    Files that share a name within one run are told apart by their checksums.

    Raises:
        BenchError: The environments differ, unless `force`.
    """
    base, rest = as_runs(a), [as_runs(other) for other in others]
    warnings = _warnings((base, *rest), force=force)
    name = Names([run for runs in (base, *rest) for run in runs.runs]).case
    found = []
    for other in rest:
        x, y = (_by(_results(runs), name) for runs in (base, other))
        alike = not _differences((base, other))
        found += [
            Match(case=case, run=other.name, a=_ok(x.get(case, ())), b=_ok(y.get(case, ())), alike=alike)
            for case in dict.fromkeys((*x, *y))
        ]
    return Matches(base=base.name, others=tuple(o.name for o in rest), matches=tuple(found), warnings=warnings)


def matches_within(a: Runs | BenchRun, base: str, *, force: bool = False) -> Matches:
    """Every other case against that of `base` on the same backend and units, with the same batch, streams and threads.

    Args:
        a: Runs that measured both.
        base: A file, a variant (against the others of each model), a model (against the others in each variant), or
            the first six or more digits of a file's SHA-256.
        force: Whether the runs may be of different environments.

    Raises:
        UnknownNameError: Nothing in the runs is called so.
        BenchError: Several files are, nothing else was measured where it was, or the environments differ.
    """
    runs = as_runs(a)
    warnings = _warnings((runs,), force=force)
    results = _results(runs)
    chosen, beside = _chosen([result.case for result in results], base)
    name = Names(runs.runs).case

    def key(case: BenchCase) -> str:
        shape = (case.backend, case.requested_units, case.batch, case.streams, case.threads)
        return f"{beside(case)} {shape}"

    found = []
    alike = not _differences((runs,))
    bases = _by([result for result in results if _file(result.case) in chosen], key)
    others = _by([result for result in results if _file(result.case) not in chosen], name)
    for case, measured in others.items():
        if against := bases.get(key(measured[0].case)):
            found.append(Match(case=case, run=runs.name, a=_ok(against), b=_ok(measured), alike=alike))
    if not found:
        raise BenchError(
            f"nothing to compare: nothing else was measured where {base!r} was",
            value=runs.name,
            allowed="another file on the same backend and units, with the same batch, streams and threads",
        )
    return Matches(base=f"{base} in {runs.name}", others=(runs.name,), matches=tuple(found), warnings=warnings)


_File = tuple[str, str, str]


def _file(case: BenchCase) -> _File:
    return case.model, case.variant, case.artifact_sha256


def _chosen(cases: Sequence[BenchCase], base: str) -> tuple[set[_File], Callable[[BenchCase], str]]:
    """The files that are called so, and what others have to share with them besides backend and units."""
    files = {_file(case) for case in cases}
    path = Path(base)
    if path.suffix in FOREIGN_FORMATS and path.exists():
        same = {file for file in files if file[2] == file_sha256(path)}
        # Two files may be the same, byte for byte, under two names.
        return _one(base, {file for file in same if file[0] == path.stem} or same, files), lambda _: ""
    if variants := {file for file in files if file[1] == base}:
        for model in {file[0] for file in variants}:
            _one(base, {file for file in variants if file[0] == model}, files)
        return variants, lambda case: case.model
    if models := {file for file in files if file[0] == base}:
        for variant in {file[1] for file in models}:
            _one(base, {file for file in models if file[1] == variant}, files)
        return models, lambda case: case.variant
    started = {file for file in files if len(base) >= _LEAST_OF_A_CHECKSUM and file[2].startswith(base)}
    return _one(base, started, files), lambda _: ""


def _one(base: str, found: set[_File], files: set[_File]) -> set[_File]:
    if not found:
        raise UnknownNameError("base", base, sorted({name for file in files for name in file[:2]}))
    if len(found) > 1:
        raise BenchError(
            f"several files are called {base!r}",
            value=", ".join(sorted(f"{model} {variant} {sha256[:8]}" for model, variant, sha256 in found)),
            hint="give one of the files, or the first digits of its SHA-256",
        )
    return found


def _results(runs: Runs) -> list[BenchResult]:
    return [result for run in runs.runs for result in run.results]


def _by(results: Iterable[BenchResult], key: Callable[[BenchCase], str]) -> dict[str, tuple[BenchResult, ...]]:
    found: dict[str, tuple[BenchResult, ...]] = {}
    for result in results:
        found[key(result.case)] = (*found.get(key(result.case), ()), result)
    return found


def _ok(results: Iterable[BenchResult]) -> tuple[BenchResult, ...]:
    return tuple(result for result in results if result.status == "ok")


def _warnings(sides: Sequence[Runs], *, force: bool) -> tuple[str, ...]:
    found = _differences(sides)
    if found and not force:
        raise BenchError(
            "these runs are not comparable", value="; ".join(found), hint="compare them all the same: --force"
        )
    quick = dict.fromkeys(run.id for runs in sides for run in runs.runs if run.quick)
    return (
        *(f"the environments differ: {difference}" for difference in found),
        *(f"{name} is quick: a first look" for name in quick),
    )


def _differences(sides: Sequence[Runs]) -> list[str]:
    """In what the environments of the runs differ from the first one's."""
    runs = [run for side in sides for run in side.runs]
    return list(dict.fromkeys(text for run in runs for text in _between(runs[0], run)))


def _between(a: BenchRun, b: BenchRun) -> list[str]:
    ours, theirs = (run.environment.model_dump() for run in (a, b))
    for environment in (ours, theirs):
        environment |= {f"package {name}": version for name, version in environment.pop("packages").items()}
    return [
        f"{name} {ours.get(name)} and {theirs.get(name)}"
        for name in dict.fromkeys((*ours, *theirs))
        # What a run does not tell, as those of older versions do not, is no difference.
        if ours.get(name) != theirs.get(name) and not (name in _OPTIONAL and None in (ours[name], theirs[name]))
    ]


_OPTIONAL = ("thermal_state", "low_power_mode", "governor", "on_battery")
