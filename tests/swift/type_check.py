"""Every target against the stand-ins without making code: one call of the compiler a module, as far as its diagnostics.

A build of the package says the same in three times the time. What is compiled, from where, after what and with which
flags is read from the package's own description.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .package import PACKAGE, swift


@dataclass(frozen=True)
class Target:
    """A Swift target of the package."""

    name: str
    folder: Path
    sources: tuple[Path, ...]
    dependencies: tuple[str, ...]
    flags: tuple[str, ...]

    @property
    def module(self) -> str:
        """Its name as it is imported."""
        return self.name.replace("-", "_")


@dataclass(frozen=True)
class StandInModules:
    """The modules of one system's stand-ins and of the targets above them, in a folder of their own."""

    folder: Path
    targets: dict[str, Target]
    """By name, each after what it imports."""
    module_maps: tuple[Path, ...]
    """Of the targets in C."""
    written: Path | None = None
    """Another such folder, whose modules are taken as they are."""

    @property
    def ours(self) -> list[str]:
        """The targets that are no stand-ins."""
        return [name for name, target in self.targets.items() if target.folder.parent != self.stand_ins]

    @property
    def stand_ins(self) -> Path:
        """Where the stand-ins lie."""
        return self.targets["SwiftUI"].folder.parent

    def check(self, name: str, *more: Path) -> str:
        """What the compiler says of a target with further files; nothing where all is well.

        Its module is written where nothing was said. The compiler goes on to the canonical intermediate language: what
        is used before it is set, and what is sent from one actor to another while it is still in use, is found no
        earlier.
        """
        target = self.targets[name]
        where = [] if more else ["-emit-module", "-emit-module-path", str(self.folder / f"{target.module}.swiftmodule")]
        flags = [*target.flags, *(flag for path in self.module_maps for flag in ("-Xcc", f"-fmodule-map-file={path}"))]
        library = "main.swift" not in [path.name for path in target.sources]
        command = ["swiftc", "-wmo", "-Onone", "-swift-version", "6", *flags]
        command += [part for folder in (self.folder, self.written) if folder for part in ("-I", str(folder))]
        command += ["-parse-as-library"] if library and "-parse-as-library" not in flags else []
        command += ["-module-name", target.module, *where, "-emit-sil", "-o", "/dev/null"]
        command += map(str, [*target.sources, *more])
        done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, timeout=300, check=False)
        return done.stderr if done.returncode or name in self.ours else ""

    def check_all(self) -> dict[str, str]:
        """What the compiler says, by target, of those of which it says something; modules that are there are left."""
        missing = [name for name, target in self.targets.items() if not self._is_written(target)]
        said = {name: self.check(name) for name in missing}
        return {name: text for name, text in said.items() if text}

    def _is_written(self, target: Target) -> bool:
        return self.written is not None and (self.written / f"{target.module}.swiftmodule").exists()


def stand_in_modules(
    system: str, folder: Path, stand_ins: str = "Stubs", *, written: Path | None = None
) -> StandInModules:
    """The targets as the package describes them for a system; the modules are to be written to `folder`.

    Args:
        system: "ios" or "macos".
        folder: exists.
        stand_ins: the stand-ins' folder, relative to the package.
        written: another such folder, whose modules are taken as they are.
    """
    done = swift("package", "dump-package", stubs=system, folder=stand_ins)
    assert done.returncode == 0, done.stderr
    described = [target for target in json.loads(done.stdout)["targets"] if target["type"] != "test"]
    found = [_target(target) for target in described]
    modules = StandInModules(folder, {target.name: target for target in found if target.sources}, (), written)
    maps = tuple(_module_map(target, folder) for target in found if not target.sources)
    return replace(modules, targets=_in_order(modules.targets), module_maps=maps)


def _target(described: dict[str, Any]) -> Target:
    name = described["name"]
    folder = PACKAGE / (described.get("path") or f"Sources/{name}")
    listed = described.get("sources")
    sources = [folder / source for source in listed] if listed else sorted(folder.rglob("*.swift"))
    flags = [
        flag
        for setting in described["settings"]
        if setting["tool"] == "swift" and "condition" not in setting
        for flag in setting_flags(name, setting["kind"])
    ]
    dependencies = [next(iter(each.values()))[0] for each in described["dependencies"]]
    return Target(name, folder, tuple(sources), tuple(dependencies), tuple(flags))


def setting_flags(target: str, kind: dict[str, Any]) -> list[str]:
    """What a setting of the package means to the compiler.

    Raises:
        ValueError: for a kind that is not known here; leaving it out would check something else than what is built.
    """
    ((name, values),) = kind.items()
    value = values["_0"]
    match name:
        case "unsafeFlags":
            return list(value)
        case "define":
            return ["-D", value]
        case "enableUpcomingFeature":
            return ["-enable-upcoming-feature", value]
        case "enableExperimentalFeature":
            return ["-enable-experimental-feature", value]
        case "swiftLanguageMode":
            return ["-swift-version", str(value)]
        case "treatAllWarnings":
            return ["-warnings-as-errors"] if value == "error" else ["-no-warnings-as-errors"]
        case _:
            msg = f"{target} has a setting whose flag is not known: {name} {value}"
            raise ValueError(msg)


def _module_map(target: Target, folder: Path) -> Path:
    """As the package manager writes it for a target in C that brings none."""
    path = folder / f"{target.name}.modulemap"
    header = target.folder / "include" / f"{target.name}.h"
    path.write_text(f'module {target.name} {{\n    umbrella header "{header}"\n    export *\n}}\n', encoding="utf-8")
    return path


def _in_order(targets: dict[str, Target]) -> dict[str, Target]:
    """Each after those on which it depends."""
    ordered: dict[str, Target] = {}

    def add(name: str) -> None:
        if name in targets and name not in ordered:
            for dependency in targets[name].dependencies:
                add(dependency)
            ordered[name] = targets[name]

    for name in targets:
        add(name)
    return ordered
