"""The package on this machine: built and tested, its Apple-only files type-checked against stand-ins."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tinyml.cli.app import run
from tinyml.schema import BenchRun
from tinyml.store import read_json

from .package import PACKAGE, SYSTEMS, needs_swift, sources, swift
from .pessimistic import pessimistic, write_pessimistic
from .type_check import StandInModules, setting_flags, stand_in_modules

pytestmark = needs_swift
on_apple = platform.system() == "Darwin"
#: What an Apple SDK warns of is nobody's error until a first run there has shown it clean.
STRICT = () if on_apple else ("-Xswiftc", "-warnings-as-errors")
#: The same for whatever is built of the package, so that nothing is built twice; in batches as large as a target, for
#: each batch reads all the other files of its target again.
BUILD = (*STRICT, "-Xswiftc", "-driver-batch-size-limit", "-Xswiftc", "1000")


def test_the_package_builds_and_passes_its_tests() -> None:
    done = swift("test", "-j", "2", *BUILD)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    counted = re.search(r"Test run with (\d+) tests in \d+ suites passed", done.stdout)
    assert counted, done.stdout[-2000:]
    declared = sum(path.read_text(encoding="utf-8").count("@Test") for path in sources("Tests"))
    assert int(counted[1]) >= declared - 1, "a test was not run"


def test_the_format_is_the_house_style() -> None:
    looked_at = ("Package.swift", "Sources", "Stubs", "Tests", "App")
    done = swift("format", "lint", "--strict", "-r", *looked_at)
    assert (done.returncode, done.stderr) == (0, "")


without_frameworks = pytest.mark.skipif(on_apple, reason="the frameworks themselves are here")


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ({"unsafeFlags": {"_0": ["-O", "-v"]}}, ["-O", "-v"]),
        ({"define": {"_0": "ONE"}}, ["-D", "ONE"]),
        ({"enableUpcomingFeature": {"_0": "ExistentialAny"}}, ["-enable-upcoming-feature", "ExistentialAny"]),
        ({"enableExperimentalFeature": {"_0": "Lifetimes"}}, ["-enable-experimental-feature", "Lifetimes"]),
        ({"swiftLanguageMode": {"_0": "6"}}, ["-swift-version", "6"]),
    ],
)
def test_a_targets_settings_are_the_compilers_flags(kind: dict[str, Any], flags: list[str]) -> None:
    assert setting_flags("Kit", kind) == flags


def test_a_setting_that_nobody_knows_is_told() -> None:
    with pytest.raises(ValueError, match="Kit has a setting whose flag is not known: interoperabilityMode Cxx"):
        setting_flags("Kit", {"interoperabilityMode": {"_0": "Cxx"}})


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the core's module: of all stand-ins it sees only those that are the same everywhere."""
    modules = stand_in_modules("ios", tmp_path_factory.mktemp("core"))
    below = modules.targets["TinyMLCore"].dependencies
    seen = [path for path in sources("Stubs") if path.parent.name in below]
    assert [pessimistic(path.parent.name, path.read_text(encoding="utf-8")) for path in seen] == [
        path.read_text(encoding="utf-8") for path in seen
    ]
    assert [modules.check(name) for name in (*below, "TinyMLCore") if name in modules.targets] == ["", ""]
    return modules.folder


@pytest.fixture(scope="module")
def checked(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[StandInModules, object]]:
    """One system's modules, written once, and what the compiler said."""

    @cache
    def check(system: str) -> tuple[StandInModules, object]:
        modules = stand_in_modules(system, tmp_path_factory.mktemp(system), written=core)
        return modules, modules.check_all()

    return check


@without_frameworks
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_file_type_checks_against_stand_ins(
    system: str, checked: Callable[[str], tuple[StandInModules, object]]
) -> None:
    modules, said = checked(system)
    assert set(modules.ours) == {"TinyMLCore", "TinyMLApple", "TinyMLUI", "tinyml-bench", "TinyMLDemoApp"}
    assert said == {}


@without_frameworks
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_file_type_checks_where_nothing_is_sendable(system: str, core: Path, tmp_path: Path) -> None:
    # What the documentation leaves open may turn out either way on a Mac: the sources must stand both.
    folder = PACKAGE / ".build-stand-ins" / "pessimistic"
    write_pessimistic(folder)
    modules = stand_in_modules(system, tmp_path, str(folder.relative_to(PACKAGE)), written=core)
    assert modules.check_all() == {}


PLANTS = {
    "TinyMLCore": {
        "wrong label": ("func planted() { _ = SampleStatistics(samples: [1]) }", "extraneous argument label"),
        "missing await": ("func one() async {}\nfunc planted() async { one() }", "not marked with 'await'"),
        "wrong optional": ("func planted() -> Double { SampleStatistics([1]).mean }", "must be unwrapped"),
    },
    "TinyMLApple": {
        "wrong label": (
            "import CoreML\nfunc planted(_ m: MLModel, _ f: any MLFeatureProvider) throws "
            "{ _ = try m.prediction(for: f) }",
            "incorrect argument label",
        ),
        "missing await": (
            "import CoreML\nimport Foundation\nfunc planted(_ u: URL) async throws "
            "{ _ = try MLModel.compileModel(at: u) }",
            "not marked with 'await'",
        ),
        "wrong optional": (
            "import CoreML\nfunc planted(_ o: any MLFeatureProvider) -> Int "
            '{ o.featureValue(for: "x").dictionaryValue.count }',
            "must be unwrapped",
        ),
        "race between actors": (
            "final class Counter { var count = 0 }\nactor Holder { func take(_ c: Counter) { c.count += 1 } }\n"
            "func planted(_ h: Holder) async { let c = Counter(); async let _ = h.take(c); c.count += 1 }",
            "risks causing data races",
        ),
        "used before it is set": ("func planted() -> Int { let n: Int; return n }", "used before being initialized"),
    },
    "TinyMLUI": {
        "wrong label": (
            "import SwiftUI\nstruct Planted: View { var body: some View { Spacer().disabled(when: true) } }",
            "extraneous argument label",
        ),
        "missing await": (
            "import Foundation\n"
            "@MainActor func planted(_ app: AppModel, _ u: URL) async { app.flow.importModel(from: u) }",
            "not marked with 'await'",
        ),
        "wrong optional": (
            "@MainActor func planted(_ app: AppModel) -> String { app.flow.selected.title }",
            "must be unwrapped",
        ),
    },
    "tinyml-bench": {
        "wrong label": (
            "import TinyMLApple\nimport TinyMLCore\nfunc planted(_ m: InstalledModel) async throws "
            '{ _ = try await BenchmarkJob().run(modle: m, units: [], plan: .quick, command: "") }',
            "incorrect argument label",
        ),
        "missing await": (
            "import TinyMLApple\nimport TinyMLCore\nfunc planted(_ m: InstalledModel) async throws "
            '{ _ = try BenchmarkJob().run(model: m, units: [], plan: .quick, command: "") }',
            "not marked with 'await'",
        ),
        "wrong optional": (
            "import TinyMLCore\nfunc planted(_ r: BenchResult) -> Int { r.placement.cpu }",
            "must be unwrapped",
        ),
    },
}


@pytest.fixture(scope="module")
def planting(
    checked: Callable[[str], tuple[StandInModules, object]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], str]:
    """What the compiler says of a target's files and one more, against iOS's stand-ins."""
    modules, said = checked("ios")
    assert said == {}

    def check(target: str, extra: str) -> str:
        planted = tmp_path_factory.mktemp("planted") / "Planted.swift"
        planted.write_text(extra + "\n", encoding="utf-8")
        return modules.check(target, planted)

    return check


@without_frameworks
@pytest.mark.parametrize("target", sorted(PLANTS))
def test_nothing_is_found_where_nothing_is_planted(target: str, planting: Callable[[str, str], str]) -> None:
    assert planting(target, "// nothing") == ""


@without_frameworks
@pytest.mark.parametrize(("target", "error"), [(target, error) for target in PLANTS for error in PLANTS[target]])
def test_a_planted_error_is_caught(target: str, error: str, planting: Callable[[str, str], str]) -> None:
    code, message = PLANTS[target][error]
    said = planting(target, code)
    errors = re.findall(r"^(.+?):\d+:\d+: error: (.*)$", said, re.MULTILINE)
    assert errors
    assert all(Path(file).name == "Planted.swift" for file, _ in errors)
    assert message in said


def test_a_selftest_is_imported_and_stands_in_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "selftest.json"
    assert swift("run", "-q", *BUILD, "tinyml-bench", "selftest", "--output", str(file)).returncode == 0
    assert swift("run", "-q", *BUILD, "tinyml-bench", "validate", str(file)).returncode == 0
    written = read_json(file, BenchRun)
    assert {result.case.backend for result in written.results} == {"selftest"}
    assert all("simulated_backend" in result.flags for result in written.results)
    assert not any(series.name == "latency_ns" for result in written.results for series in result.series)
    assert run(["bench", "import", str(file), "--results", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == written.model_dump(mode="json")
    reports = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.md"))
    assert "selftest" in reports
    assert "simulated_backend" in reports


@without_frameworks
def test_measuring_says_that_it_cannot() -> None:
    done = swift("run", "-q", *BUILD, "tinyml-bench", "run", ".")
    assert done.returncode == 69
    assert "not run: measuring needs Core ML" in done.stderr
