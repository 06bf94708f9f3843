"""Comparisons, budgets and histories as tables, for the terminal and for a pull request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tinyml.counting import counted
from tinyml.schema import BenchRun

from .budget import BudgetRow, kept
from .comparison import Comparison, ComparisonRow, WorkRow
from .conditions import ConditionRow
from .history import BenchHistory, CaseHistory, HistoryEntry
from .markdown_table import escaped, table
from .table import DOUBT, milliseconds

COMPARISON_COLUMNS = (
    *("case", "run", "verdict", "same model", "flags"),
    *("base p50 ms", "p50 ms", "ratio", "interval", "rounds", "by processor time"),
)
CONDITION_COLUMNS = ("condition", "case", "run", "outcome", "figure")
BUDGET_COLUMNS = ("case", "measure", "outcome", "figure", "limit")
HISTORY_COLUMNS = ("machine", "case", "made", "run", "change", "p50 ms", "95% interval")


def title_of(comparison: Comparison) -> str:
    """What the table is headed with."""
    return f"{', '.join(comparison.others)} against {comparison.a}: ratio of the median latencies, below 1 is faster"


def comparison_cells(row: ComparisonRow) -> list[str]:
    """One case."""
    doubt = DOUBT if row.flags else ""
    return [
        row.case,
        row.run,
        row.verdict,
        "yes" if row.same_artifact else "no",
        ", ".join(row.flags) or "none",
        milliseconds(row.a_p50_ns),
        milliseconds(row.b_p50_ns),
        f"{row.ratio:.3f}{doubt}",
        f"{row.low:.3f} to {row.high:.3f}",
        _rounds(row),
        _work(row.work),
    ]


def _rounds(row: ComparisonRow) -> str:
    if row.pairs is None:
        return f"{row.a_rounds} and {row.b_rounds}"
    return f"{row.pairs} pairs{' of runs' if row.pairs_of == 'runs' else ''}"


def _work(work: WorkRow | None) -> str:
    return "-" if work is None else f"{work.verdict}: {work.ratio:.3f} ({work.low:.3f} to {work.high:.3f})"


def condition_cells(row: ConditionRow) -> list[str]:
    """One condition on one case."""
    return [row.condition, row.case, row.run, row.outcome, row.figure]


def budget_cells(row: BudgetRow) -> list[str]:
    """One limit on one case."""
    doubt = f" ({', '.join(row.flags)})" if row.flags else ""
    return [row.case, row.measure, f"{row.outcome}{doubt}", row.figure, row.limit]


def history_rows(history: BenchHistory) -> list[list[str]]:
    """Every case in every run, oldest first."""
    return [_entry(case, entry) for case in history.cases for entry in case.entries]


def _entry(case: CaseHistory, entry: HistoryEntry) -> list[str]:
    change = next((change for change in case.changes if change.run == entry.run), None)
    told = "-" if change is None else f"{change.ratio:.3f}x from here on"
    if change is not None and change.other_artifact:
        told += ", another model"
    known = entry.low_ns is not None and entry.high_ns is not None
    interval = f"{milliseconds(entry.low_ns)} to {milliseconds(entry.high_ns)}" if known else "-"
    p50 = milliseconds(entry.p50_ns) + (DOUBT if entry.flags else "")
    return [case.machine, case.case, entry.made, entry.run, told, p50, interval]


def comparison_markdown(comparison: Comparison, conditions: Sequence[ConditionRow] | None = None) -> str:
    """A comment for a pull request: the verdict first, then the tables; `conditions` are None where none was set."""
    changed = [row for row in comparison.rows if row.verdict in ("faster", "slower")]
    told = f"{len(changed)} of {len(comparison.rows)} cases changed" if conditions is None else _headline(conditions)
    lines = [f"### {escaped(title_of(comparison))}", "", f"**{told}**", ""]
    if conditions:
        lines += [*table(CONDITION_COLUMNS, [condition_cells(row) for row in conditions], text_columns=4), ""]
    if comparison.rows:
        lines += [*table(COMPARISON_COLUMNS, [comparison_cells(row) for row in comparison.rows], text_columns=5), ""]
    lines += [f"- {escaped(line)}" for line in (*comparison.warnings, *comparison.unmatched)]
    return "\n".join(lines).rstrip()


def _headline(conditions: Sequence[ConditionRow]) -> str:
    if not conditions:
        return "No case has what the conditions are about"
    of = Counter(row.outcome for row in conditions)
    if of["kept"] == len(conditions):
        return "The condition is kept" if len(conditions) == 1 else f"All {len(conditions)} conditions are kept"
    first, *rest = ((outcome, of[outcome]) for outcome in ("failed", "not measured", "undecided") if of[outcome])
    told = f"{first[1]} of {counted(len(conditions), 'condition')} {first[0]}"
    return ", ".join((told, *(f"{count} {outcome}" for outcome, count in rest)))


def budget_markdown(run: BenchRun, rows: Sequence[BudgetRow]) -> str:
    """A comment for a pull request."""
    bad = sum(row.outcome != "kept" for row in rows)
    told = "**Every limit kept**" if kept(rows) else f"**{bad} of {len(rows)} limits not kept**"
    heading = f"### Budget of {escaped(run.id)} on {escaped(run.environment.device or run.environment.machine)}"
    return "\n".join([heading, "", told, "", *table(BUDGET_COLUMNS, [budget_cells(r) for r in rows], text_columns=3)])
