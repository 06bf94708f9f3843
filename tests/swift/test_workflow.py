"""The workflow that builds and opens the app where Xcode is: what of it can be run here, runs here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from .package import PACKAGE, sources
from .strings import literals

ROOT = PACKAGE.parent
JOBS: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/checks.yml").read_text(encoding="utf-8"))["jobs"]
SHELL = "\n".join(step["run"] for step in JOBS["app"]["steps"] if "run" in step)


def test_the_app_is_built_by_two_versions_of_xcode() -> None:
    matrix = JOBS["app"]["strategy"]["matrix"]["include"]
    oldest, newest = sorted(float(entry["xcode"]) for entry in matrix)
    assert oldest < 17 < newest
    assert JOBS["app"]["strategy"]["fail-fast"] is False
    # A warning of another SDK is nobody's error until somebody has looked at it.
    assert "warnings-as-errors" not in SHELL
    for action in (
        "swift test",
        "generic/platform=macOS",
        '-destination "id=$phone"',
        "xcresulttool export attachments",
    ):
        assert action in SHELL


def test_projects_schemes_and_folders_are_there() -> None:
    project = PACKAGE / "App" / re.findall(r"-project (\S+)", SHELL)[0]
    for scheme in re.findall(r"-scheme (\S+)", SHELL):
        assert (project / "xcshareddata/xcschemes" / f"{scheme}.xcscheme").is_file()
    folders = {step["working-directory"] for step in JOBS["app"]["steps"] if "working-directory" in step}
    assert folders == {"swift_demo", "swift_demo/App"}
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_every_tab_is_opened_and_its_picture_kept() -> None:
    (path,) = sources("App/TinyMLDemoUITests")
    test = path.read_text(encoding="utf-8")
    screens = (PACKAGE / "Sources/TinyMLCore/Screens/LoadScreen.swift").read_text(encoding="utf-8")
    tabs = re.search(r"enum AppTab: .*?\n\}", screens, re.DOTALL)
    assert tabs
    assert re.findall(r'open\("(\w+)"', test) == re.findall(r'case \.\w+: "([A-Z]\w+)"', tabs[0])
    # What a tab is known by is what its screen says.
    expected = {text for texts in re.findall(r"expecting: \[(.*?)\]", test) for text in re.findall(r'"(.*?)"', texts)}
    assert expected - literals() == set()
    assert "XCTAttachment(screenshot:" in test
    (upload,) = [step for step in JOBS["app"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()"
    assert upload["with"]["path"].endswith("/screenshots")


def test_core_ml_itself_is_asked_beside_it() -> None:
    assert any('pytest -q -m "macos"' in step.get("run", "") for step in JOBS["macos"]["steps"])
    assert JOBS["macos"]["runs-on"].startswith("macos-")
    marked = [path for path in Path(ROOT / "tests").rglob("test_*.py") if "mark.macos" in path.read_text("utf-8")]
    assert marked


@pytest.mark.parametrize(("sdk", "phone"), [("18.5", "A"), ("26.0", "B"), ("26.4", "B")])
def test_a_phone_is_chosen_that_takes_the_app(sdk: str, phone: str) -> None:
    code = re.search(r'python3 -c "\n(.*?)"\)', SHELL, re.DOTALL)
    assert code
    system = "com.apple.CoreSimulator.SimRuntime."
    found = {
        f"{system}iOS-18-5": [{"name": "iPhone 16", "udid": "A"}, {"name": "iPad", "udid": "C"}],
        f"{system}iOS-26-0": [{"name": "iPhone 17", "udid": "B"}, {"name": "iPad", "udid": "D"}],
        f"{system}iOS-27-1": [{"name": "iPhone 18", "udid": "E"}],
        f"{system}watchOS-11-0": [{"name": "Apple Watch", "udid": "F"}],
    }
    done = subprocess.run(
        [sys.executable, "-c", code[1]],
        input=json.dumps({"devices": found}),
        env={**os.environ, "SDK": sdk},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [phone]


def test_its_shell_is_a_shells() -> None:
    for job in JOBS.values():
        for step in job["steps"]:
            text = re.sub(r"\$\{\{.*?\}\}", "value", step.get("run", ""))
            done = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
            assert (done.returncode, done.stderr) == (0, ""), step
