"""What is compared with what: cases by their names across runs, and beside a base within one."""

from pathlib import Path
from typing import Any

import pytest

from tinyml.bench.comparison import compare
from tinyml.bench.matching import Runs, matches_within
from tinyml.errors import BenchError, UnknownNameError
from tinyml.schema import BenchRun
from tinyml.store import file_sha256

from .test_comparison import compare_runs, measured


def of_files(run: BenchRun, name: str, files: list[tuple[str, str, str]]) -> BenchRun:
    """A run of (model, variant, checksum), each slower than the one before."""
    made = measured(run, name, {str(i): [5.0 + i, 5.01 + i, 4.99 + i] for i in range(len(files))})
    results = [
        result.model_copy(
            update={
                "case": result.case.model_copy(update={"model": model, "variant": variant, "artifact_sha256": checksum})
            }
        )
        for result, (model, variant, checksum) in zip(made.results, files, strict=True)
    ]
    return made.model_copy(update={"results": tuple(results)})


A, B, C, D = (digit * 64 for digit in "abcd")
NETS = [("net", "onnx-fp32", A), ("net", "onnx-w8a8", B), ("wide", "onnx-fp32", C), ("wide", "onnx-w8a8", D)]


def told(run: Any, base: str) -> list[tuple[str, str, str]]:
    return [(row.model, row.variant, row.verdict) for row in compare(matches_within(run, base)).rows]


def test_a_variant_is_the_base_of_each_model(linux_run: BenchRun) -> None:
    run = of_files(linux_run, "r", NETS)
    assert told(run, "onnx-fp32") == [("net", "onnx-w8a8", "slower"), ("wide", "onnx-w8a8", "slower")]
    comparison = compare(matches_within(run, "onnx-w8a8"))
    assert comparison.a == "onnx-w8a8 in r"
    assert [row.verdict for row in comparison.rows] == ["faster", "faster"]
    assert [row.ratio for row in comparison.rows] == pytest.approx([5 / 6, 7 / 8], rel=1e-3)


def test_a_model_is_the_base_in_each_variant(linux_run: BenchRun) -> None:
    run = of_files(linux_run, "r", NETS)
    assert told(run, "net") == [("wide", "onnx-fp32", "slower"), ("wide", "onnx-w8a8", "slower")]


def test_a_checksum_is_the_base_of_everything_beside_it(linux_run: BenchRun) -> None:
    run = of_files(linux_run, "r", NETS)
    assert [row[:2] for row in told(run, "a" * 6)] == [file[:2] for file in NETS[1:]]
    with pytest.raises(UnknownNameError, match="aaaaa"):
        matches_within(run, "aaaaa")


def test_a_file_is_the_base_even_of_one_with_its_name_or_its_bytes(linux_run: BenchRun, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(b"one")
    checksum = file_sha256(tmp_path / "net.onnx")
    twins = of_files(linux_run, "r", [("net", "file", checksum), ("net", "file", B)])
    (row,) = compare(matches_within(twins, str(tmp_path / "net.onnx"))).rows
    assert f"({B[:8]})" in row.case
    with pytest.raises(BenchError, match=r"several files are called 'net'.*net file bbbbbbbb.*SHA-256"):
        matches_within(twins, "net")
    copies = of_files(linux_run, "r", [("copy", "file", checksum), ("net", "file", checksum)])
    (row,) = compare(matches_within(copies, str(tmp_path / "net.onnx"))).rows
    assert (row.model, row.verdict, row.same_artifact) == ("copy", "faster", True)
    (tmp_path / "gone.onnx").write_bytes(b"not measured")
    with pytest.raises(UnknownNameError, match=r"gone\.onnx"):
        matches_within(copies, str(tmp_path / "gone.onnx"))


def test_several_runs_are_pooled_and_what_has_no_base_is_left_alone(linux_run: BenchRun) -> None:
    first, second = (of_files(linux_run, name, NETS[:3]) for name in ("r", "s"))
    (row,) = compare(matches_within(Runs((first, second)), "onnx-w8a8")).rows
    assert (row.model, row.a_rounds, row.b_rounds, row.run) == ("net", 6, 6, "r,s")
    with pytest.raises(BenchError, match="nothing else was measured where 'onnx-fp32' was"):
        matches_within(of_files(linux_run, "r", [NETS[0]]), "onnx-fp32")


def test_what_differs_in_backend_or_shape_is_not_held_against_each_other(linux_run: BenchRun) -> None:
    run = of_files(linux_run, "r", NETS[:2])
    base, other = run.results
    batched = other.model_copy(update={"case": other.case.model_copy(update={"batch": 8})})
    with pytest.raises(BenchError, match="nothing else was measured"):
        matches_within(run.model_copy(update={"results": (base, batched)}), "onnx-fp32")


def test_runs_of_different_machines_are_refused_within_too(linux_run: BenchRun) -> None:
    first = of_files(linux_run, "r", NETS)
    second = first.model_copy(update={"environment": first.environment.model_copy(update={"machine": "x"})})
    with pytest.raises(BenchError, match="not comparable"):
        matches_within(Runs((first, second)), "onnx-fp32")
    assert any("differ" in line for line in matches_within(Runs((first, second)), "onnx-fp32", force=True).warnings)


def test_two_files_of_one_name_in_a_run_are_two_cases_across_runs(linux_run: BenchRun) -> None:
    both = of_files(linux_run, "r", [("net", "file", A), ("net", "file", B)])
    alone = of_files(linux_run, "s", [("net", "file", B)])
    comparison = compare_runs(both, [alone])
    (row,) = comparison.rows
    assert f"({B[:8]})" in row.case
    assert row.ratio == pytest.approx(5 / 6, rel=1e-3)
    assert any(A[:8] in line for line in comparison.unmatched)
