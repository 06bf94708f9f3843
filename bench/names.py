"""What cases are called, in words."""

from __future__ import annotations

from collections.abc import Iterable

from tinyml.counting import counted
from tinyml.schema import BenchCase, BenchRun


def shape_words(case: BenchCase) -> str:
    """The batch and the streams, where they are not 1: ", batch 8, 2 streams"."""
    batch = f", batch {case.batch}" if case.batch > 1 else ""
    return f"{batch}{f', {case.streams} streams' if case.streams > 1 else ''}"


class Names:
    """The names in some runs; files that share one within a run are told apart by the start of their checksum."""

    def __init__(self, runs: Iterable[BenchRun]) -> None:
        self._shared = set()
        for run in runs:
            files: dict[tuple[str, str], str] = {}
            for case in (result.case for result in run.results):
                name = case.model, case.variant
                if files.setdefault(name, case.artifact_sha256) != case.artifact_sha256:
                    self._shared.add(name)

    def variant(self, case: BenchCase) -> str:
        """The variant: "coreml-fp16", "file (3f2a91c0)"."""
        shared = (case.model, case.variant) in self._shared
        return f"{case.variant} ({case.artifact_sha256[:8]})" if shared else case.variant

    def words(self, case: BenchCase) -> str:
        """What was asked for: "densenet coreml-fp16 on coreml cpu_and_ne", with a batch or streams above 1."""
        return f"{case.model} {self.variant(case)} on {case.backend} {case.requested_units}{shape_words(case)}"

    def case(self, case: BenchCase) -> str:
        """The words, with everything that makes it another case."""
        if case.threads is None:
            return self.words(case)
        return f"{self.words(case)}, {counted(case.threads, 'thread')}"
