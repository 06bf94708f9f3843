"""A copy of the stand-ins as strict as Apple's frameworks could turn out to be.

No class, structure or enumeration is Sendable unless a page of documentation that was read says so, and every escaping
handler must be: what compiles against this copy and
against the stand-ins themselves compiles whichever of the two the frameworks are.
"""

from __future__ import annotations

import re
from pathlib import Path

from .documentation import recorded
from .package import PACKAGE, sources

#: SwiftUI's, Charts' and WidgetKit's closures are documented as they are: views are built on the main actor.
DOCUMENTED_CLOSURES = {"SwiftUI", "Charts", "WidgetKit"}
#: What a Sendable enumeration holds is Sendable too: the compiler lets no other in.
HELD = {"MLComputeDevice": ("MLCPUComputeDevice", "MLGPUComputeDevice", "MLNeuralEngineComputeDevice")}
CONFORMANCE = re.compile(r"((?:class|struct|enum) \w+(?:<[^>{]*>)?: )([^{]+?)( \{)")


def documented_sendable() -> set[str]:
    """The names of the types whose pages list the conformance."""
    listed = {facts["name"] for facts in recorded()["seen"].values() if facts.get("sendable")}
    return listed | {name for holder, names in HELD.items() if holder in listed for name in names}


def pessimistic(module: str, text: str) -> str:
    """The text of a stand-in without undocumented conformances to Sendable, its escaping closures `@Sendable`."""
    documented = documented_sendable()

    def without_sendable(match: re.Match[str]) -> str:
        if re.split(r"[ <:]", match[1])[1] in documented:
            return match[0]
        protocols = [each.strip() for each in match[2].split(",")]
        # An executor is Sendable by its protocol.
        kept = [each for each in protocols if each.split()[-1] != "Sendable" or "SerialExecutor" in protocols]
        return f"{match[1]}{', '.join(kept)}{match[3]}" if kept else f"{match[1].removesuffix(': ')}{match[3]}"

    text = CONFORMANCE.sub(without_sendable, text)
    if module not in DOCUMENTED_CLOSURES:
        text = re.sub(r"@escaping (?!@Sendable)", "@escaping @Sendable ", text)
    return text


def write_pessimistic(folder: Path) -> None:
    """Writes the copy to `folder`; files that are current stay untouched, so that builds stay incremental."""
    for path in sources("Stubs"):
        target = folder / path.relative_to(PACKAGE / "Stubs")
        text = pessimistic(path.parent.name, path.read_text(encoding="utf-8"))
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    for target in folder.rglob("*.swift"):
        if not (PACKAGE / "Stubs" / target.relative_to(folder)).exists():
            target.unlink()
