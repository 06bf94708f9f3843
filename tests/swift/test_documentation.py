"""The stand-ins and the minimum-OS lint say what Apple's pages say, as far as somebody could read them.

The pages of these tests are written for them; the committed record holds names and versions of the real ones.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import documentation
from . import pessimistic as strict
from .declarations import parse
from .documentation import (
    PageError,
    disagreements,
    docc,
    main,
    markdown,
    mirrored,
    mirrored_path,
    named_pages,
    read_page,
    recorded,
    unavailable,
    version,
    written,
)
from .pessimistic import pessimistic
from .stand_ins import StandIn, read, stand_ins
from .test_sources import MINIMUM


def page_of(declaration: str, *, ios: str = "17.4.0 -", macos: str = "14.4.0 -", conforms: tuple[str, ...] = ()) -> str:
    metadata = {"availability": [f"iOS: {ios}", f"macOS: {macos}", "tvOS: 9.0.0 -"], "documentType": "symbol"}
    text = f"<!--\n{json.dumps(metadata)}\n-->\n\n# A title\n\nA sentence.\n\n```\n{declaration}\n```\n\n## Overview\n"
    links = "\n\n".join(f"[`{name}`](/documentation/Swift/{name})" for name in conforms)
    return text + (f"\n## Relationships\n\n### Conforms To\n\n{links}\n" if conforms else "")


def stand_in(text: str, available: tuple[str, str] | None = ("17.4", "14.4")) -> StandIn:
    return StandIn("Here:1", "here/there", text, parse(text), available)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("public final class Plan {", "class", "Plan"),
        ("public class func load(at url: URL) async throws -> URL { stub() }", "func", "load(at:)"),
        ("@discardableResult public func lock(_ a: A, _ b: B = []) -> Int", "func", "lock(_:_:)"),
        ("public convenience init?(for model: Model) throws", "init", "init(for:)"),
        ("static func value<T: Plot>(_ key: Key, f: @escaping (A, B) -> C) -> T", "func", "value(_:f:)"),
        ("class let sRGB: CFString", "property", "sRGB"),
        ("var image: CGImage { get throws }", "property", "image"),
        ("@MainActor @preconcurrency protocol View", "protocol", "View"),
        ("class func `default`(for mediaType: M) -> D?", "func", "default(for:)"),
        (
            "@available(iOS 18.0, *) nonisolated func keep(@ViewBuilder content: () -> Content)",
            "func",
            "keep(content:)",
        ),
        ("struct Chart<Content> where Content : ChartContent", "struct", "Chart"),
    ],
)
def test_declarations_are_read(text: str, kind: str, name: str) -> None:
    declaration = parse(text)
    assert (declaration.kind, declaration.full_name) == (kind, name)


def test_what_declares_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no declaration"):
        parse("import Foundation")


def test_a_markdown_page_is_read() -> None:
    facts = markdown(page_of("static func load(at url: URL, keep: Bool = true) async throws -> Plan"))
    assert facts == {
        "kind": "func",
        "name": "load(at:keep:)",
        "optional": [1],
        "async": True,
        "throws": True,
        "ios": "17.4",
        "macos": "14.4",
    }
    assert markdown(page_of("class Old", ios="11.0.0 - 27.0.0"))["ios_deprecated"] == "27.0"
    assert "ios" not in markdown(page_of("struct Undated", ios="-", macos="-"))
    assert "ios_only" not in markdown(page_of("struct Undated", ios="-", macos="-"))
    assert markdown(page_of("var zoom: Double").replace("macOS: ", "watchOS: "))["ios_only"] is True
    assert markdown(page_of("struct A", conforms=("Hashable", "Sendable")))["sendable"] is True
    assert markdown(page_of("struct A", conforms=("Hashable", "SendableMetatype")))["sendable"] is False


def test_a_docc_page_is_read() -> None:
    tokens = [{"kind": "keyword", "text": "class"}, {"text": " "}, {"kind": "identifier", "text": "Plan"}]
    text = {
        "metadata": {"platforms": [{"name": "iOS", "introducedAt": "17.4"}, {"name": "macOS", "introducedAt": "14.4"}]},
        "primaryContentSections": [
            {"kind": "declarations", "declarations": [{"languages": ["swift"], "tokens": tokens}]}
        ],
        "relationshipsSections": [
            {"type": "conformsTo", "identifiers": ["doc://com.apple.documentation/Swift/Copyable"]}
        ],
    }
    assert docc(json.dumps(text)) == {
        "kind": "class",
        "name": "Plan",
        "ios": "17.4",
        "macos": "14.4",
        "sendable": False,
    }


@pytest.mark.parametrize("text", ["<html>not found</html>", page_of("x").replace('"symbol"', '"article"')])
def test_what_is_no_page_of_a_symbol_is_refused(text: str) -> None:
    with pytest.raises(PageError):
        markdown(text)


@pytest.mark.parametrize(
    ("ours", "documented", "says"),
    [
        ("public class Plan {}", page_of("class Plan"), []),
        ("public enum Gravity: Sendable {", page_of("struct Gravity"), ["Gravity is a enum, documented is a struct"]),
        (
            "public class Plan: Sendable {",
            page_of("class Plan", conforms=("Copyable",)),
            ["Plan is Sendable, documented is no such conformance"],
        ),
        ("func frame(width: Int? = nil) -> A", page_of("func frame(width: Int? = nil, height: Int? = nil) -> A"), []),
        ("func frame() -> A", page_of("func frame(width: Int) -> A"), ["frame() leaves out what frame(width:) needs"]),
        ("func go(to a: A)", page_of("func go(at a: A)"), ["go(to:), documented is go(at:)"]),
        ("func go(a: A)", page_of("func come(a: A)"), ["go, documented is come"]),
        ("func go() throws", page_of("func go() async throws"), ["go() is not async, documented otherwise"]),
        ("public let rawValue: String", page_of("struct Preset"), []),
        ("class Other {", page_of("struct Preset"), ["Other, documented is Preset"]),
        (
            "public class New {}",
            page_of("class New", ios="18.0.0 -", macos="15.0.0 -"),
            ["New from ios 17.4 on, documented is 18.0", "New from macos 14.4 on, documented is 15.0"],
        ),
    ],
)
def test_disagreements_are_told(ours: str, documented: str, says: list[str]) -> None:
    assert disagreements(stand_in(ours), markdown(documented)) == says


def test_old_symbols_need_no_availability() -> None:
    assert unavailable(stand_in("class A {", None), {"ios": "4.0", "macos": "10.7"}) == []
    assert unavailable(stand_in("class A {", None), {"ios": "17.4", "macos": "13.0"}) == [
        "A from ios 17.0 on, documented is 17.4"
    ]


def test_a_members_systems_are_its_types(tmp_path: Path) -> None:
    site = "https://developer.apple.com/documentation"
    file = tmp_path / "Stub" / "Kit.swift"
    file.parent.mkdir()
    file.write_text(
        f"@available(iOS 17.4, macOS 14.4, *)\n/// {site}/kit/plan\npublic class Plan {{\n"
        f"    /// {site}/kit/plan/run(with:)\n    public func run(\n        with a: A\n    ) async {{ stub() }}\n}}\n"
        f"/// {site}/kit/old\npublic struct Old {{}}\n"
    )
    assert [(each.page, each.declaration.full_name, each.available) for each in read(file)] == [
        ("kit/plan", "Plan", ("17.4", "14.4")),
        ("kit/plan/run(with:)", "run(with:)", ("17.4", "14.4")),
        ("kit/old", "Old", None),
    ]


def test_every_member_of_an_extension_has_its_systems(tmp_path: Path) -> None:
    site = "https://developer.apple.com/documentation"
    file = tmp_path / "Stub" / "Kit.swift"
    file.parent.mkdir()
    members = "".join(f"    /// {site}/kit/{name}\n    public func {name}() {{ stub() }}\n" for name in "abc")
    for before in ("", f"/// {site}/kit/plan\n"):
        guarded = f"{before}@available(iOS 17.4, macOS 14.4, *)\npublic extension Plan {{\n{members}}}\n"
        file.write_text(f"{guarded}/// {site}/kit/old\npublic struct Old {{}}\n")
        assert [(each.declaration.name, each.available) for each in read(file)] == [
            ("a", ("17.4", "14.4")),
            ("b", ("17.4", "14.4")),
            ("c", ("17.4", "14.4")),
            ("Old", None),
        ]


def test_the_systems_of_one_member_are_not_the_next_ones(tmp_path: Path) -> None:
    site = "https://developer.apple.com/documentation"
    file = tmp_path / "Stub" / "Kit.swift"
    file.parent.mkdir()
    newer = f"    /// {site}/kit/new\n    @available(iOS 26.0, macOS 26.0, *)\n    var new: Int {{ get }}\n"
    file.write_text(
        f"/// {site}/kit/p\npublic protocol P {{\n{newer}    /// {site}/kit/old\n    var old: Int {{ get }}\n}}\n"
    )
    found = [(each.declaration.name, each.available) for each in read(file)]
    assert found == [("P", None), ("new", ("26.0", "26.0")), ("old", None)]


def test_the_script_compares_and_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documentation, "RECORD", tmp_path / "record.json")
    folder = tmp_path / "pages" / "coreml"
    folder.mkdir(parents=True)
    (folder / "mlcomputeplan-1w21n.md").write_text(page_of("class MLComputePlan"))
    assert main(["--pages", str(tmp_path / "pages")]) == 0
    assert "every stand-in agrees with its page" in capsys.readouterr().out
    record = json.loads((tmp_path / "record.json").read_text())
    assert list(record["seen"]) == ["coreml/mlcomputeplan-1w21n"]
    assert sorted([*record["seen"], *record["not_seen"]]) == named_pages()
    (folder / "mlcomputeplan-1w21n.md").write_text(page_of("struct MLComputePlan"))
    assert main(["--pages", str(tmp_path / "pages")]) == 1
    assert "MLComputePlan is a class, documented is a struct" in capsys.readouterr().out
    (folder / "mlcomputeplan-1w21n.md").write_text("an error page")
    assert main(["--pages", str(tmp_path / "pages")]) == 1
    assert "no metadata" in capsys.readouterr().out


RECORDED = recorded()
SEEN = RECORDED["seen"]


def test_the_record_names_every_page_once_and_is_as_the_script_writes_it() -> None:
    assert sorted([*SEEN, *RECORDED["not_seen"]]) == named_pages(), "run: python -m tests.swift.documentation"
    assert documentation.RECORD.read_text(encoding="utf-8") == written(SEEN, named_pages())


def test_the_record_says_where_each_page_was_read() -> None:
    assert {facts["source"] for facts in SEEN.values()} <= {"developer.apple.com", "github.com/Averyy/apple-dev-docs"}


def test_pages_are_read_from_an_address_or_a_public_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(documentation, "RECORD", tmp_path / "record.json")
    copy = (
        "# weight\n\n**Availability**:\n- iOS 17.4+\n- Mac Catalyst 17.4+\n- macOS 14.4+\n- tvOS ?+\n\n"
        "## Declaration\n\n```swift\nlet weight: Double\n```\n"
    )
    assert mirrored(copy) == {"kind": "property", "name": "weight", "ios": "17.4", "macos": "14.4"}
    assert mirrored(copy.replace("- macOS 14.4+\n", ""))["ios_only"] is True
    conforming = (
        copy.replace("let weight: Double", "struct Cost") + "\n### Conforms To\n- [Sendable](../Swift/Sendable.md)\n"
    )
    assert mirrored(conforming)["sendable"] is True
    with pytest.raises(PageError):
        mirrored("# nothing")
    page = tmp_path / "copy" / mirrored_path("coreml/mlcomputeplan-1w21n/cost/weight")
    page.parent.mkdir(parents=True)
    page.write_text(copy)
    assert main(["--pages", str(tmp_path / "copy"), "--source", "a copy"]) == 0
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["seen"]["coreml/mlcomputeplan-1w21n/cost/weight"]["source"] == "a copy"
    # An address that answers, here a folder's, and one that does not.
    served = tmp_path / "site" / "coreml" / "mlcomputeunits.md"
    served.parent.mkdir(parents=True)
    served.write_text(page_of("enum MLComputeUnits"))
    site = (tmp_path / "site").as_uri() + "/"
    failed = documentation.fetch(tmp_path / "fetched", ["coreml/mlcomputeunits", "coreml/none"], site)
    assert [line.split(":")[0] for line in failed] == ["coreml/none"]
    assert read_page(tmp_path / "fetched", "coreml/mlcomputeunits")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("coreml/mlmodel", "documentation/CoreML/mlmodel.md"),
        ("coreml/mlmodel/prediction(from:)-9y2aa", "documentation/CoreML/mlmodel/prediction-from-9y2aa.md"),
        (
            "avfoundation/avcapturedevice/devicetype-swift.struct/external",
            "documentation/AVFoundation/avcapturedevice/devicetype-swift.struct/external.md",
        ),
        (
            "avfoundation/avcapturedevice/devicetype-swift.struct",
            "documentation/AVFoundation/avcapturedevice/devicetype-swiftstruct.md",
        ),
        ("vision/vnimagerequesthandler/perform(_:)", "documentation/Vision/vnimagerequesthandler/perform.md"),
        ("swiftui/binding/init(get:set:)-6g3d5", "documentation/SwiftUI/binding/init-getset-6g3d5.md"),
        ("swiftui", "documentation/SwiftUI/SwiftUI.md"),
    ],
)
def test_a_pages_place_in_the_public_copy(address: str, path: str) -> None:
    assert mirrored_path(address) == path


@pytest.mark.parametrize("where", sorted({each.where.split(":")[0] for each in stand_ins()}))
def test_stand_ins_agree_with_the_pages_that_were_seen(where: str) -> None:
    ours = [each for each in stand_ins() if each.where.startswith(f"{where}:") and each.page in SEEN]
    assert [f"{each.where}: {line}" for each in ours for line in disagreements(each, SEEN[each.page])] == []


def test_the_minimum_os_lint_agrees_with_the_pages_that_were_seen() -> None:
    checked = 0
    for facts in SEEN.values():
        token = facts["name"].split("(")[0]
        if token not in MINIMUM or facts["kind"] == "init" or not {"ios", "macos"} <= facts.keys():
            continue
        ios, macos = MINIMUM[token]
        assert (version(facts["ios"]), version(facts["macos"])) == (ios, macos), token
        checked += 1
    assert checked > 0


def test_what_is_newer_than_the_deployment_target_is_in_the_lint() -> None:
    newer = {
        facts["name"].split("(")[0]
        for facts in SEEN.values()
        if version(facts.get("ios", "0")) > (17, 0) or version(facts.get("macos", "0")) > (14, 0)
    }
    # Members of a type that is in the lint cannot be reached without naming the type.
    inside = {each.declaration.name for each in stand_ins() if each.available}
    assert newer - inside <= set(MINIMUM)


def test_the_pessimistic_copy_is_stricter(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {"coreml/mlcomputeunits": {"kind": "struct", "name": "MLComputeUnits", "sendable": True}}
    monkeypatch.setattr(strict, "recorded", lambda: {"seen": facts, "not_seen": []})
    text = pessimistic(
        "Kit",
        "public struct A: Hashable, Sendable {\npublic enum B: Sendable {\n"
        "public class C: NSObject, @unchecked Sendable {\npublic struct MLComputeUnits: Hashable, Sendable {\n"
        "final class Q: SerialExecutor, @unchecked Sendable {\nfunc f(_ handler: @escaping (Int) -> Void)",
    )
    assert text == (
        "public struct A: Hashable {\npublic enum B {\n"
        "public class C: NSObject {\npublic struct MLComputeUnits: Hashable, Sendable {\n"
        "final class Q: SerialExecutor, @unchecked Sendable {\nfunc f(_ handler: @escaping @Sendable (Int) -> Void)"
    )
