"""Which ops of ML Programs this runtime implements, against the registry of coremltools."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinyml.quiet import coremltools

from .. import ops as _ops  # noqa: F401  registers every op
from ..ops.registry import OPSETS, definitions, find

NOT_IN_PROGRAMS = {
    "_const_symbolic": "coremltools' own tests only; never written to a program",
}
"""Ops of coremltools' registry that an ML Program cannot hold, and why."""


@dataclass(frozen=True, kw_only=True)
class OpStatus:
    """One op: its family, per opset whether it exists and is implemented, and a remark."""

    name: str
    family: str
    status: tuple[str, ...]
    """For each of OPSETS: "yes", "no" (exists, not implemented) or "" (does not exist there)."""
    remark: str

    @property
    def implemented(self) -> bool:
        """Whether every opset that has the op has it here."""
        return "no" not in self.status


def op_table() -> list[OpStatus]:
    """Every op that coremltools can write, or that is implemented here, sorted by family and name."""
    ct = coremltools()
    theirs: dict[str, set[str]] = {}
    for name, versions in ct.converters.mil.mil.ops.registry.SSAOpRegistry.core_ops.items():
        oldest = min(int(version) for version in versions)
        theirs[name] = {opset for opset in OPSETS if int(getattr(ct.target, opset)) >= oldest}
    families = {definition.name: definition.family for definition in definitions()}
    rows = [_status(name, families, theirs.get(name)) for name in {*theirs, *families} - set(NOT_IN_PROGRAMS)]
    return sorted(rows, key=lambda row: (row.family, row.name))


def _status(name: str, families: dict[str, str], opsets: Iterable[str] | None) -> OpStatus:
    if name == "const":
        return OpStatus(name=name, family="control_flow", status=("yes",) * len(OPSETS), remark="read by the planner")
    here = {opset for opset in OPSETS if find(name, opset) is not None}
    there = here if opsets is None else set(opsets)
    remark = next((definition.remark for definition in definitions() if definition.name == name), "")
    status = tuple(("yes" if opset in here else "no") if opset in there else "" for opset in OPSETS)
    return OpStatus(name=name, family=families.get(name, ""), status=status, remark=remark)


def markdown_table(rows: list[OpStatus]) -> str:
    """The table as Markdown, for the documentation."""
    lines = [f"| op | family | {' | '.join(OPSETS)} | remark |", f"|---|---|{'---|' * len(OPSETS)}---|"]
    lines += [f"| `{row.name}` | {row.family} | {' | '.join(row.status)} | {row.remark} |" for row in rows]
    return "\n".join(lines) + "\n"
