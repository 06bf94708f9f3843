"""Compares the stand-ins with Apple's documentation and records what its pages say: names and versions, no text.

A maintainer's script. Save the pages that the stand-ins name as `<page>.md` or `<page>.json` below a folder (a page is
what follows `developer.apple.com/documentation/`), or let it fetch them where the network allows:

    python -m tests.swift.documentation --list             the pages that are named
    python -m tests.swift.documentation --pages FOLDER     compare, and write documentation.json
    python -m tests.swift.documentation --fetch FOLDER     fetch what FOLDER lacks, then the same

`--site ADDRESS` fetches from elsewhere than Apple, and `--source NAME` names in the record where the pages came from:
public copies of the pages, such as github.com/Averyy/apple-dev-docs (a clone of it is a FOLDER), do as well.

Pages that nobody could read stay in `documentation.json` under `not_seen`; what was recorded before is kept.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .declarations import TYPES, Declaration, parse
from .stand_ins import StandIn, stand_ins

RECORD = Path(__file__).with_name("documentation.json")
SITE = "https://developer.apple.com/documentation/"
#: Pages of no stand-in whose availability the minimum-OS lint needs.
LINT_PAGES = (
    "coreml/mltensor",
    "coreml/mlstate",
    "coreml/mlmodelconfiguration/optimizationhints-swift.property",
    "swiftui/tab",
    "swiftui/meshgradient",
    "swiftui/view/glasseffect(_:in:)",
    "swiftui/view/presentationsizing(_:)",
    "synchronization/mutex",
    "vision/coremlrequest",
    "charts/chart3d",
    "charts/lineplot",
)

#: How frameworks are spelled where a page's address, which is in lower case, is not enough.
FRAMEWORKS = {
    "appintents": "AppIntents",
    "appkit": "AppKit",
    "avfoundation": "AVFoundation",
    "charts": "Charts",
    "coreai": "CoreAI",
    "coregraphics": "CoreGraphics",
    "coremedia": "CoreMedia",
    "coreml": "CoreML",
    "coretransferable": "CoreTransferable",
    "corevideo": "CoreVideo",
    "foundation": "Foundation",
    "imageio": "ImageIO",
    "photosui": "PhotosUI",
    "quartzcore": "QuartzCore",
    "swiftui": "SwiftUI",
    "synchronization": "Synchronization",
    "uikit": "UIKit",
    "uniformtypeidentifiers": "UniformTypeIdentifiers",
    "vision": "Vision",
    "widgetkit": "WidgetKit",
}

Facts = dict[str, Any]


class PageError(ValueError):
    """A page that is not one of Apple's documentation pages of a symbol."""


def versions(pairs: dict[str, tuple[str | None, str | None]]) -> Facts:
    """The systems' versions as a record holds them; a page that names none says nothing of them."""
    facts: Facts = {}
    if pairs and "macOS" not in pairs:
        facts["ios_only"] = True
    for system, key in (("iOS", "ios"), ("macOS", "macos")):
        introduced, deprecated = pairs.get(system, (None, None))
        if introduced:
            facts[key] = short(introduced)
        if deprecated:
            facts[f"{key}_deprecated"] = short(deprecated)
    return facts


def short(version: str) -> str:
    """`17.4.0` as `17.4`."""
    return re.sub(r"^(\d+\.\d+)\.0$", r"\1", version)


def described(declaration: Declaration) -> Facts:
    """A declaration as a record holds it."""
    facts: Facts = {"kind": declaration.kind, "name": declaration.full_name}
    if declaration.parameters and any(parameter.optional for parameter in declaration.parameters):
        facts["optional"] = [number for number, each in enumerate(declaration.parameters) if each.optional]
    if declaration.is_async:
        facts["async"] = True
    if declaration.throws:
        facts["throws"] = True
    return facts


def markdown(text: str) -> Facts:
    """What a `.md` page says: a comment with its metadata, the declaration in the first block, its conformances."""
    comment = re.match(r"\s*<!--\n(.*?)\n-->", text, re.DOTALL)
    code = re.search(r"^```(?:swift)?\n(.*?)\n```", text, re.DOTALL | re.MULTILINE)
    if not comment or not code:
        msg = "no metadata or no declaration"
        raise PageError(msg)
    metadata = json.loads(comment[1])
    if metadata.get("documentType") != "symbol":
        msg = f"a page of a {metadata.get('documentType')}, not of a symbol"
        raise PageError(msg)
    pairs = {}
    for line in metadata.get("availability", []):
        system, span = line.split(": ", 1)
        introduced, _, deprecated = span.partition("-")
        pairs[system] = (introduced.strip() or None, deprecated.strip() or None)
    facts = described(parse(code[1])) | versions(pairs)
    conforms = re.search(r"^### Conforms To\n(.*?)(?=^#|^---|\Z)", text, re.DOTALL | re.MULTILINE)
    if facts["kind"] in TYPES and conforms:
        facts["sendable"] = bool(re.search(r"\[`Sendable`\]", conforms[1]))
    return facts


def mirrored(text: str) -> Facts:
    """What a page of the public copy in Markdown says: systems as a list, the declaration, its conformances."""
    listed = re.search(r"^\*\*Availability\*\*:\n((?:- .*\n)+)", text, re.MULTILINE)
    code = re.search(r"^## Declaration\n+```swift\n(.*?)\n```", text, re.DOTALL | re.MULTILINE)
    if not listed or not code:
        msg = "no systems or no declaration"
        raise PageError(msg)
    pairs: dict[str, tuple[str | None, str | None]] = {}
    for system, introduced, deprecated in re.findall(
        r"^- (\w[\w ]*?) (?:([\d.]+)\+?|\?\+)(?:[-\u2013]([\d.]+))?", listed[1], re.MULTILINE
    ):
        pairs[system] = (introduced or None, deprecated or None)
    facts = described(parse(code[1])) | versions(pairs)
    conforms = re.search(r"^### Conforms To\n(.*?)(?=^#|^---|\Z)", text, re.DOTALL | re.MULTILINE)
    if facts["kind"] in TYPES and conforms:
        facts["sendable"] = bool(re.search(r"\[Sendable\]", conforms[1]))
    return facts


def mirrored_path(page: str) -> str:
    """Where the public copy keeps a page: `init(a:b:)-3x` is `init-ab-3x`, frameworks are spelled as they are."""
    first, *rest = page.split("/")
    framework = FRAMEWORKS.get(first, first)
    *folders, last = rest or [framework]
    name = re.sub(r"\(([^)]*)\)", lambda labels: "-" + re.sub(r"[:_]", "", labels[1]), last)
    name = name.replace("-swift.", "-swift").strip("-").replace("--", "-")
    return "/".join(["documentation", framework, *folders, f"{name}.md"])


def docc(text: str) -> Facts:
    """What a page's DocC JSON says."""
    page = json.loads(text)
    tokens = [
        declaration["tokens"]
        for section in page.get("primaryContentSections", [])
        if section.get("kind") == "declarations"
        for declaration in section["declarations"]
        if "swift" in declaration.get("languages", ["swift"])
    ]
    if not tokens:
        msg = "no Swift declaration"
        raise PageError(msg)
    platforms = {
        platform["name"]: (platform.get("introducedAt"), platform.get("deprecatedAt"))
        for platform in page["metadata"].get("platforms", [])
    }
    facts = described(parse("".join(token["text"] for token in tokens[0]))) | versions(platforms)
    conforms = [s for s in page.get("relationshipsSections", []) if s.get("type") == "conformsTo"]
    if facts["kind"] in TYPES and conforms:
        names = {identifier.rsplit("/", 1)[-1] for section in conforms for identifier in section["identifiers"]}
        facts["sendable"] = bool({"Sendable", "s8SendableP"} & {re.sub(r".*:", "", name) for name in names})
    return facts


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


DEPLOYMENT = {"ios": "17.0", "macos": "14.0"}


def disagreements(stand_in: StandIn, facts: Facts) -> list[str]:
    """What a stand-in says otherwise than its page; empty where both agree."""
    ours = stand_in.declaration
    name, _, labels = facts["name"].partition("(")
    if ours.name != name:
        # A member that has no page of its own names its type's.
        return [] if facts["kind"] in TYPES and ours.kind not in TYPES else [f"{ours.name}, documented is {name}"]
    found = []
    if ours.kind != facts["kind"]:
        found.append(f"{ours.name} is a {ours.kind}, documented is a {facts['kind']}")
    if ours.parameters is not None and labels:
        documented = labels.rstrip(")").split(":")[:-1]
        optional = set(facts.get("optional", []))
        position = 0
        for parameter in ours.parameters:
            while position < len(documented) and documented[position] != parameter.label and position in optional:
                position += 1
            if position == len(documented) or documented[position] != parameter.label:
                found.append(f"{ours.full_name}, documented is {facts['name']}")
                break
            position += 1
        else:
            if set(range(position, len(documented))) - optional:
                found.append(f"{ours.full_name} leaves out what {facts['name']} needs")
        for effect, is_ours in (("async", ours.is_async), ("throws", ours.throws)):
            if is_ours != facts.get(effect, False):
                found.append(f"{ours.full_name} is {'' if is_ours else 'not '}{effect}, documented otherwise")
    if "sendable" in facts and "Sendable" in ours.conforms and not facts["sendable"]:
        found.append(f"{ours.name} is Sendable, documented is no such conformance")
    return found + unavailable(stand_in, facts)


def unavailable(stand_in: StandIn, facts: Facts) -> list[str]:
    """Where a stand-in's systems differ from those of its page, where either is newer than the deployment target."""
    found = []
    declared = dict(zip(("ios", "macos"), stand_in.available or (), strict=False))
    for system, minimum in DEPLOYMENT.items():
        documented = facts.get(system)
        ours = declared.get(system, minimum)
        if documented and max(version(documented), version(minimum)) != max(version(ours), version(minimum)):
            found.append(f"{stand_in.declaration.name} from {system} {ours} on, documented is {documented}")
    return found


def recorded() -> dict[str, Any]:
    """The committed record: `seen`, page by page, and `not_seen`, the pages that nobody could read."""
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def named_pages() -> list[str]:
    """Every page that a stand-in or the minimum-OS lint names, sorted."""
    return sorted({stand_in.page for stand_in in stand_ins()} | set(LINT_PAGES))


def read_page(folder: Path, page: str) -> Facts | None:
    """The facts of a page below a folder; None where it is not there.

    Raises:
        PageError: where the file is no page of a symbol.
    """
    for path, reader in (
        (folder / f"{page}.md", markdown),
        (folder / f"{page}.json", docc),
        (folder / mirrored_path(page), mirrored),
    ):
        if path.is_file():
            try:
                return reader(path.read_text(encoding="utf-8"))
            except (ValueError, KeyError) as error:
                msg = f"{path}: {error}"
                raise PageError(msg) from error
    return None


def fetch(folder: Path, pages: list[str], site: str = SITE) -> list[str]:
    """Saves the pages that a folder lacks; returns one line for each that could not be had."""
    failed = []
    for page in pages:
        path = folder / f"{page}.md"
        if path.exists():
            continue
        try:
            with urllib.request.urlopen(f"{site}{page}.md", timeout=30) as answer:  # noqa: S310 (the maintainer names it)
                text = answer.read()
        except (urllib.error.URLError, TimeoutError) as error:
            failed.append(f"{page}: {error}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    return failed


def written(seen: dict[str, Facts], pages: list[str]) -> str:
    """The record as the file holds it: one line a page."""
    lines = ",\n".join(
        f"    {json.dumps(page)}: {json.dumps(seen[page], sort_keys=True)}" for page in pages if page in seen
    )
    missing = ",\n".join(f"    {json.dumps(page)}" for page in pages if page not in seen)
    return f'{{\n  "seen": {{\n{lines}\n  }},\n  "not_seen": [\n{missing}\n  ]\n}}\n'


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.swift.documentation", description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--list", action="store_true", help="print the pages that are named")
    choice.add_argument("--pages", type=Path, metavar="FOLDER", help="read the pages saved there")
    choice.add_argument("--fetch", type=Path, metavar="FOLDER", help="save the missing pages there first")
    parser.add_argument("--site", default=SITE, metavar="ADDRESS", help="fetch pages from there, not from Apple")
    parser.add_argument("--source", default="developer.apple.com", metavar="NAME", help="where the pages came from")
    options = parser.parse_args(arguments)
    pages = named_pages()
    if options.list:
        sys.stdout.write("\n".join(pages) + "\n")
        return 0
    folder: Path = options.pages or options.fetch
    problems = fetch(folder, pages, options.site) if options.fetch else []
    seen = recorded()["seen"] if RECORD.exists() else {}
    for page in pages:
        try:
            facts = read_page(folder, page)
        except PageError as error:
            problems.append(str(error))
            continue
        if facts:
            seen[page] = facts | {"source": options.source}
    RECORD.write_text(written(seen, pages), encoding="utf-8")
    for stand_in in stand_ins():
        if stand_in.page in seen:
            problems += [f"{stand_in.where}: {line}" for line in disagreements(stand_in, seen[stand_in.page])]
    verdict = "\n".join(problems) or "every stand-in agrees with its page"
    count = sum(page in seen for page in pages)
    sys.stdout.write(f"{verdict}\n{count} of {len(pages)} pages seen, written to {RECORD}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
