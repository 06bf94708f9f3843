from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from tinyml.bench import doctor
from tinyml.bench.backend import backends


@pytest.mark.parametrize(
    ("numpy", "coremltools", "state"),
    [
        ("2.3.5", "9.0", "ok"),
        ("2.4.0", "9.0", "broken"),
        ("2.10.1", "9.0", "broken"),
        ("2.4.0", "9.1", "ok"),
        ("1.26.4", "8.3", "ok"),
        (None, "9.0", "ok"),
    ],
)
def test_the_known_conflict_of_numpy_and_coremltools(numpy: Any, coremltools: Any, state: Any) -> None:
    assert doctor.numpy_with_coremltools(numpy, coremltools).state == state


def test_it_looks_at_every_backend_and_gives_a_reason_for_each_that_is_not_here() -> None:
    findings = doctor.examine()
    names = {finding.name for finding in findings if finding.topic == "bench"}
    assert names == {f"{name} {units}" for name, backend in backends.items() for units in backend.units}
    assert all(finding.detail for finding in findings)


def test_a_missing_package_is_broken_and_nothing_below_is_tried(monkeypatch: pytest.MonkeyPatch) -> Any:
    real = metadata.version

    def version(name: Any) -> Any:
        if name == "torch":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    findings = doctor.examine()
    assert [f.name for f in findings if f.state == "broken"] == ["torch"]
    assert not [f for f in findings if f.topic in ("device", "bench")]


def test_a_package_that_is_there_and_cannot_be_imported_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor.MODULES, "onnx", "tinyml_no_such_module")
    finding = doctor.package("onnx")
    assert finding.state == "broken"
    assert "cannot be imported" in finding.detail


def test_a_results_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    assert doctor.results_writable(tmp_path / "results").state == "broken"
    assert doctor.results_writable(tmp_path / "new" / "results").state == "ok"
