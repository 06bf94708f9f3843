"""Writes what a run of all checks gave, from pytest's JUnit files, into a page of `results/`.

python tests/record_checks.py build/quick.xml build/slow.xml results/checks.md
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from tinyml.bench.environment import this_environment

LONGEST = 10


def page(parts: Sequence[Path], *, commit: str, machine: str) -> str:
    """The page, as Markdown."""
    roots = [ElementTree.parse(part).getroot() for part in parts]  # noqa: S314 (pytest has just written them)
    suites = [suite for root in roots for suite in root.iter("testsuite")]
    count = {name: sum(int(suite.get(name, 0)) for suite in suites) for name in ("tests", "failures", "errors")}
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    wrong = count["failures"] + count["errors"]
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    when = min(suite.get("timestamp", "") for suite in suites)[:16].replace("T", " ")
    files: dict[str, float] = defaultdict(float)
    names, missed, counted = [], [], []
    for case in (case for root in roots for case in root.iter("testcase")):
        place = case.get("classname", "")
        files[place] += float(case.get("time", 0))
        if case.find("failure") is not None or case.find("error") is not None:
            names.append(f"{place}::{case.get('name')}")
        counted += [
            f"- {told.get('name')}: {told.get('value')}, in `{place}::{case.get('name')}`"
            for told in case.iter("property")
        ]
        if (reason := case.find("skipped")) is not None:
            missed.append(reason.get("message", "").strip())
    lines = [
        "# The newest run of every check, the slow ones included",
        "",
        "Written by `make test-all`.",
        "",
        "| | |",
        "|---|---|",
        f"| begun | {when} |",
        f"| commit | {commit} |",
        f"| machine | {machine} |",
        f"| verdict | {'passed' if not wrong else f'{wrong} failed'} |",
        f"| tests | {count['tests']:,}, of them {skipped} not run |",
        f"| time | {seconds / 60:.1f} min |",
    ]
    if names:
        lines += ["", "## Failed", "", *(f"- `{name}`" for name in names)]
    if missed:
        lines += ["", "## Not run, and why", ""]
        lines += [f"- {missed.count(reason)} for: {reason}" for reason in sorted(set(missed))]
    if counted:
        lines += ["", "## What tests counted", "", *counted]
    longest = sorted(files.items(), key=lambda item: -item[1])[:LONGEST]
    lines += ["", "## Where the time goes", "", "| file | test minutes |", "|---|---|"]
    lines += [f"| {place} | {took / 60:.1f} |" for place, took in longest]
    return "\n".join(lines) + "\n"


def main(parts: Sequence[Path], target: Path) -> None:
    """Writes `target` from the JUnit files of a run's parts."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=target.parent
    )
    found = this_environment(())
    machine = f"{found.cpu}, {found.cores} cores, {found.os} {found.os_version}, {found.runtime}"
    target.write_text(page(parts, commit=described.stdout.strip() or "unknown", machine=machine), encoding="utf-8")


if __name__ == "__main__":
    *given, last = map(Path, sys.argv[1:])
    main(given, last)
