"""What the Swift sources promise and no compiler here checks: systems, stand-ins, house rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .package import PACKAGE, sources

Version = tuple[int, int]

DEPLOYMENT: dict[str, Version] = {"iOS": (17, 0), "macOS": (14, 0)}

MINIMUM: dict[str, tuple[Version, Version]] = {
    # token: (iOS, macOS), from the availability on each symbol's page at developer.apple.com/documentation
    "MLComputePlan": ((17, 4), (14, 4)),
    "MLModelStructure": ((17, 4), (14, 4)),
    "ComputePlanReader": ((17, 4), (14, 4)),
    "MLTensor": ((18, 0), (15, 0)),
    "MLState": ((18, 0), (15, 0)),
    "MLMultiArrayFeatureProvider": ((18, 0), (15, 0)),
    "specializationStrategy": ((18, 0), (15, 0)),
    "CoreMLRequest": ((18, 0), (15, 0)),
    "ImageRequestHandler": ((18, 0), (15, 0)),
    "Mutex": ((18, 0), (15, 0)),
    "Atomic": ((18, 0), (15, 0)),
    "MeshGradient": ((18, 0), (15, 0)),
    "TabSection": ((18, 0), (15, 0)),
    "Tab": ((18, 0), (15, 0)),
    "presentationSizing": ((18, 0), (15, 0)),
    "onScrollGeometryChange": ((18, 0), (15, 0)),
    "LinePlot": ((18, 0), (15, 0)),
    "InlineArray": ((26, 0), (26, 0)),
    "ControlWidget": ((18, 0), (26, 0)),
    "ControlWidgetConfiguration": ((18, 0), (26, 0)),
    "ControlWidgetButton": ((18, 0), (26, 0)),
    "StaticControlConfiguration": ((18, 0), (26, 0)),
    "AIModel": ((27, 0), (27, 0)),
    "InferenceFunction": ((27, 0), (27, 0)),
    "NDArray": ((27, 0), (27, 0)),
    "SpecializationOptions": ((27, 0), (27, 0)),
    "CoreAIClassifier": ((27, 0), (27, 0)),
    "IntentModes": ((26, 0), (26, 0)),
    "glassEffect": ((26, 0), (26, 0)),
    "Chart3D": ((26, 0), (26, 0)),
    # In use, and old enough:
    "Observable": ((17, 0), (14, 0)),
    "ContentUnavailableView": ((17, 0), (14, 0)),
    "RotationCoordinator": ((17, 0), (14, 0)),
    "DispatchSerialQueue": ((17, 0), (14, 0)),
    "videoRotationAngle": ((17, 0), (14, 0)),
    "continuityCamera": ((17, 0), (14, 0)),
    "PhotosPicker": ((16, 0), (13, 0)),
    "ImageRenderer": ((16, 0), (13, 0)),
    "ShareLink": ((16, 0), (13, 0)),
    "AppIntent": ((16, 0), (13, 0)),
    "dropDestination": ((16, 0), (13, 0)),
    "Chart": ((16, 0), (13, 0)),
    "LabeledContent": ((16, 0), (13, 0)),
    "cpuAndNeuralEngine": ((16, 0), (13, 0)),
    "compileModel": ((16, 0), (13, 0)),
    "OSSignposter": ((15, 0), (12, 0)),
}

GUARD = re.compile(r"(@available|#available)\(iOS ([\d.]+), macOS ([\d.]+), \*\)")
FUNCTION = re.compile(r"^\s*(?:\w+ )*(?:func|init)\b")


def version(text: str) -> Version:
    parts = [int(part) for part in text.split(".")] + [0]
    return parts[0], parts[1]


def unguarded(source: str) -> list[tuple[int, str]]:
    """Lines that use a symbol newer than the deployment target without asking for its system first.

    `@available` counts from its place to the end of the file, `#available` to the end of its function.
    """
    found = []
    declared: tuple[Version, Version] = (DEPLOYMENT["iOS"], DEPLOYMENT["macOS"])
    asked = declared
    for number, line in enumerate(source.splitlines(), 1):
        code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", line)
        if FUNCTION.match(code):
            asked = declared
        for kind, ios, macos in GUARD.findall(code):
            guard = (version(ios), version(macos))
            asked = guard
            if kind == "@available":
                declared = guard
        for token, (ios_minimum, macos_minimum) in MINIMUM.items():
            if re.search(rf"\b{token}\b", code) and (asked[0] < ios_minimum or asked[1] < macos_minimum):
                found.append((number, token))
    return found


@pytest.mark.parametrize("path", sources("Sources", "App"), ids=lambda path: path.name)
def test_what_is_newer_than_the_deployment_target_is_guarded(path: Path) -> None:
    assert unguarded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("let plan = MLComputePlan.self", [1]),
        ("if #available(iOS 17.4, macOS 14.4, *) { MLComputePlan.self }", []),
        ("if #available(iOS 17.0, macOS 14.4, *) { MLComputePlan.self }", [1]),
        ("func a() {\n#available(iOS 17.4, macOS 14.4, *)\n}\nfunc b() { MLComputePlan.self }", [4]),
        ("@available(iOS 18.0, macOS 15.0, *)\nenum A {\nfunc b() { MLTensor() }\n}", []),
        ("// MLTensor and CoreMLRequest", []),
    ],
)
def test_the_lint_sees_a_missing_guard(source: str, lines: list[int]) -> None:
    assert [line for line, _ in unguarded(source)] == lines


def test_the_table_knows_what_is_in_use() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sources("Sources"))
    used = {token for token in MINIMUM if re.search(rf"\b{token}\b", text)}
    assert {"MLComputePlan", "RotationCoordinator", "ContentUnavailableView", "PhotosPicker"} <= used


def test_the_deployment_target_is_the_packages() -> None:
    manifest = (PACKAGE / "Package.swift").read_text(encoding="utf-8")
    assert f".iOS(.v{DEPLOYMENT['iOS'][0]}), .macOS(.v{DEPLOYMENT['macOS'][0]})" in manifest


def test_stand_ins_carry_the_availability_of_what_they_stand_for() -> None:
    for path in sources("Stubs"):
        text = path.read_text(encoding="utf-8")
        for token, (ios, macos) in MINIMUM.items():
            if max(ios, DEPLOYMENT["iOS"]) == DEPLOYMENT["iOS"]:
                continue
            for declared in re.finditer(rf"(?:class|struct|enum) {token}\b", text):
                guard = GUARD.findall(text[: declared.start()])
                assert guard, f"{token} has no @available"
                assert (version(guard[-1][1]), version(guard[-1][2])) == (ios, macos)


@pytest.mark.parametrize("path", sources("Stubs"), ids=lambda path: path.parent.name + "/" + path.name)
def test_stand_ins_only_declare_and_name_their_pages(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    page = re.compile(r"^\s*/// https://developer\.apple\.com/documentation/[^\s]+$")
    for number, line in enumerate(lines):
        if re.match(r"\s*(?:@\S+ )*(?:public|open) ", line) and path.name != "Stub.swift":
            before = [
                text for text in lines[:number] if "swift-format-ignore" not in text and "@" not in text.split("(")[0]
            ]
            assert page.match(before[-1]), f"{path.name}:{number + 1}: no documentation page"
    text = "\n".join(lines)
    assert "Copyright" not in text
    assert "#import" not in text
    bodies = re.findall(r"(?:func|init)[^\n{]*(?:\n[^\n{]*)*?\{([^{}]*)\}", text)
    allowed = {"stub()", "", "self.rawValue = rawValue", 'fatalError("a stand-in that is only type-checked")'}
    assert {body.strip() for body in bodies} <= allowed


def test_stand_ins_hold_only_what_is_used() -> None:
    used = "".join(path.read_text(encoding="utf-8") for path in sources("Sources", "App"))
    stubs = {path: path.read_text(encoding="utf-8") for path in sources("Stubs")}
    declared = re.compile(
        r"^(?:@\S+ )*(?:public|open) (?:final )?(?:class|struct|enum|protocol|func|let|typealias) (\w+)", re.M
    )
    for path, text in stubs.items():
        for name in declared.findall(text):
            elsewhere = used + "".join(other for where, other in stubs.items() if where != path)
            mentioned = len(re.findall(rf"\b{name}\b", text)) > 1 or re.search(rf"\b{name}\b", elsewhere)
            assert mentioned, f"{path.name}: {name} is used nowhere"


@pytest.mark.parametrize(
    ("folder", "framework"),
    [
        ("Sources/TinyMLApple", "CoreML"),
        ("Sources/TinyMLUI", "SwiftUI"),
        ("App/TinyMLDemo", "SwiftUI|AppIntents"),
        ("App/TinyMLControls", "WidgetKit"),
        ("App/Shared", "AppIntents"),
    ],
)
def test_apple_files_lie_inside_one_condition_that_stand_ins_can_switch(folder: str, framework: str) -> None:
    for path in sources(folder):
        text = path.read_text(encoding="utf-8").strip()
        # Core AI has no part for Macs with an Intel processor.
        core_ai = r"(?: && canImport\(CoreAI\) && !\(canImport\(AppKit\) && arch\(x86_64\)\))?"
        assert re.match(rf"#if canImport\((?:{framework})\){core_ai}\n", text), path
        assert text.endswith("#endif"), path
        # No stand-in can make `os(...)` true.
        assert not re.search(r"#(?:else)?if .*\bos\(", text), path


def test_nothing_ends_the_app_on_purpose() -> None:
    for path in sources("Sources", "App"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(?:fatalError|preconditionFailure|assertionFailure)\(|try!|\bas!", text), path


#: An enumeration that explains errors: its name, and its body up to the sentences.
EXPLAINED = re.compile(
    r"^\s*(?:public )?enum (\w+): [^{]*\bExplainedError\b[^{]*\{\n(.*?)^\s*(?:public )?var", re.DOTALL | re.MULTILINE
)


def cases(source: str) -> dict[str, set[str]]:
    """The enumerations of a source that explain errors, each with the names of its cases."""
    return {name: set(re.findall(r"^\s*case (\w+)", body, re.MULTILINE)) for name, body in EXPLAINED.findall(source)}


def test_every_error_is_held_in_both_languages() -> None:
    told = (PACKAGE / "Tests/TinyMLCoreTests/ErrorTests.swift").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    for path in sources("Sources/TinyMLCore"):
        found |= cases(path.read_text(encoding="utf-8"))
    assert {"CameraProblem", "SchemaError", "Stop"} <= set(found)
    assert all(found.values())
    missing = [f"{name}.{case}" for name in found for case in found[name] if f"{name}.{case}" not in told]
    assert missing == []
    # Whoever writes an error's sentence as a plain description leaves it in English.
    for path in sources("Sources/TinyMLCore", "Sources/TinyMLApple", "Sources/TinyMLUI"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"enum \w+: [^{\n]*\bError\b[^{\n]*CustomStringConvertible", source), path.name
        assert '"\\(error)"' not in source or path.name in SAYS_ERRORS, path.name


#: What writes errors into files, in English, and what tells the system's own where they have no words.
SAYS_ERRORS = {"BenchmarkRunner.swift", "Phrase.swift", "RecordFile.swift"}


def calls_outside(source: str, call: str, around: str) -> list[int]:
    """The lines that make a call without another one open around it, from its brace on."""
    found = []
    depth, opened = 0, []
    for number, line in enumerate(source.splitlines(), 1):
        code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "", line)
        if around in code:
            opened.append(depth)
        if call in code and not opened and f"func {call}" not in code:
            found.append(number)
        depth += code.count("{") - code.count("}")
        opened = [level for level in opened if depth > level]
    return found


def test_the_device_is_kept_awake_for_a_run_and_the_camera_is_told_of() -> None:
    for path in sources("Sources/TinyMLUI"):
        source = path.read_text(encoding="utf-8")
        assert calls_outside(source, "job.run(", "wakefulness.during(") == [], path.name
        assert calls_outside(source, "live.run(", "whileCameraIsLive {") == [], path.name
    text = "".join(path.read_text(encoding="utf-8") for path in sources("Sources/TinyMLUI"))
    assert "job.run(" in text
    assert "live.run(" in text


def test_the_lint_sees_a_run_that_lets_the_device_sleep() -> None:
    awake = "try await wakefulness.during(reason: x) {\n  try await job.run(model)\n}\n"
    assert calls_outside(awake, "job.run(", "wakefulness.during(") == []
    assert calls_outside(awake + "await job.run(model)", "job.run(", "wakefulness.during(") == [4]


def test_the_idle_timer_is_switched_in_one_place_and_back() -> None:
    switching = [path.name for path in sources("Sources", "App") if "isIdleTimerDisabled" in path.read_text("utf-8")]
    assert switching == ["DeviceWakefulness.swift"]
    source = (PACKAGE / "Sources/TinyMLApple/DeviceWakefulness.swift").read_text(encoding="utf-8")
    assert re.findall(r"isIdleTimerDisabled = (\w+)", source) == ["true", "false"]
    assert source.count("beginActivity(") == source.count("endActivity(") == 1


def test_a_views_state_makes_no_session_until_it_is_asked_for_one() -> None:
    # SwiftUI makes a view's state whenever the view is made, and keeps only the first.
    kept = re.compile(r"@State\b[^\n]*= (\w+)")
    views = "".join(path.read_text(encoding="utf-8") for path in sources("Sources/TinyMLUI"))
    held = {f"{name}.swift" for name in kept.findall(views)}
    assert "LiveModel.swift" in held
    eager = re.compile(r"^    (?!.*\blazy\b).*= .*\b(?:CameraSession|AVCaptureSession|MLModel)\(", re.MULTILINE)
    for path in sources("Sources/TinyMLUI"):
        if path.name in held:
            assert eager.findall(path.read_text(encoding="utf-8")) == [], path.name


#: Where a view hands buttons to an alert or a dialog of the system, up to the closing brace of its modifier's line.
DIALOG = re.compile(r"^( *)\.(?:alert|confirmationDialog)\(.*?\n\1\}$", re.DOTALL | re.MULTILINE)
#: What is no button of plain text.
RICH = re.compile(r"(?<![.\w])(?:Label|Button|ScreenItemView|ShareLink|Toggle|button)\(")


def rich_dialogs(source: str) -> list[str]:
    """What a view puts into an alert or a dialog that has no plain text for a title."""
    return [found for dialog in DIALOG.finditer(source) for found in RICH.findall(dialog[0])]


def test_dialogs_have_buttons_of_plain_text() -> None:
    # A picture beside the text leaves the system's sheet without a title, which ends an app on a phone.
    views = {path.name: path.read_text(encoding="utf-8") for path in sources("Sources/TinyMLUI", "App")}
    assert sum(len(DIALOG.findall(source)) for source in views.values()) >= 2
    assert {name: found for name, source in views.items() if (found := rich_dialogs(source))} == {}
    (button,) = re.findall(r"struct DialogButton: View \{.*?\n\}", views["ScreenItemView.swift"], re.DOTALL)
    assert re.search(r"label: \{\s+Text\(title\)\s+\}", button)
    planted = 'a\n    .alert("t") {\n        Label("x", symbol: "y")\n    }\n    Label("z")\n'
    assert rich_dialogs(planted) == ["Label("]


def test_a_weak_reference_is_taken_up_before_the_main_actor_is_assumed() -> None:
    # Compilers before Swift 6.2 keep a weak reference in a variable, which no closure of another actor may read.
    for path in sources("Sources", "App"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"assumeIsolated \{[^}]*self\?", source), path.name


def test_the_first_compiler_of_the_language_reads_the_sources() -> None:
    # Xcode 16.0 has Swift 6.0: a comma after the last of a list in parentheses, and `nonisolated` types, came later.
    newer = re.compile(r",\s*\)|^\s*nonisolated (?:\w+ )*(?:struct|class|enum|protocol|extension)\b", re.MULTILINE)
    for path in sources("Sources", "App", "Tests"):
        code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"', "x", path.read_text(encoding="utf-8"))
        assert not newer.search(code), path.name


def test_an_intents_errors_are_told_in_words() -> None:
    # Of an error that brings no such text the system says only that it is unknown.
    for path in sources("App/TinyMLDemo", "App/Shared"):
        source = path.read_text(encoding="utf-8")
        for thrown in re.findall(r"\bthrow (\w+)", source):
            assert re.search(rf"struct {thrown}: .*\bCustomLocalizedStringResourceConvertible\b", source), path.name
        assert not re.search(r"(?:IntentDialog|LocalizedStringResource)\(stringLiteral:", source), path.name


def test_a_test_of_the_screens_makes_its_app_when_it_runs() -> None:
    for path in sources("App/TinyMLDemoUITests"):
        assert not re.search(
            r"^    (?!.*\blazy\b).*= XCUIApplication\(", path.read_text(encoding="utf-8"), re.MULTILINE
        )


def test_the_camera_is_set_up_in_the_order_that_it_needs() -> None:
    session = (PACKAGE / "Sources/TinyMLApple/CameraSession.swift").read_text(encoding="utf-8")
    opening = session[session.index("func open(") : session.index("func deliver(")]
    # What is possible depends on the input, and only between these two does nobody see half a change.
    steps = ["beginConfiguration()", "addInput(input)", "sessionPreset = .hd1280x720", "addOutput(output)"]
    places = [opening.index(step) for step in steps]
    assert places == sorted(places)
    assert "defer { session.commitConfiguration() }" in opening
    assert opening.index("automaticallyAdjustsVideoMirroring = false") < opening.index("isVideoMirrored = false")
    # A small preset or a model-sized output lowers the frame rate, and the first of a list may be any device.
    assert not re.search(r"vga640x480|\.low\b|kCVPixelBufferWidthKey", session)
    assert "systemPreferredCamera" in session


def test_the_capture_session_is_used_on_its_own_queue_alone() -> None:
    # Elsewhere it is only handed to the layer that shows it.
    touching = re.compile(
        r"\.(?:startRunning|stopRunning|beginConfiguration|addInput|removeInput|lockForConfiguration)\("
    )
    found = {path.name for path in sources("Sources", "App") if touching.search(path.read_text(encoding="utf-8"))}
    assert found == {"CameraController.swift", "CameraSession.swift"}
    controller = (PACKAGE / "Sources/TinyMLCore/Camera/CameraController.swift").read_text(encoding="utf-8")
    assert "public actor CameraController" in controller
    assert "unownedExecutor: UnownedSerialExecutor { hardware.executor }" in controller


def test_what_may_end_the_app_lies_under_a_breadcrumb() -> None:
    loader = (PACKAGE / "Sources/TinyMLApple/ModelLoader.swift").read_text(encoding="utf-8")
    for call in ("ComputePlanReader.plan(", "self.opened(", "VisionClassifier("):
        assert calls_outside(loader, call, "breadcrumb.during(") == [], call
        assert call in loader
    backend = (PACKAGE / "Sources/TinyMLApple/CoreMLBenchmarkBackend.swift").read_text(encoding="utf-8")
    for call in ("CompiledModelCache.compile(", "CoreMLClassifier(\n", "ComputePlanReader.plan("):
        function = backend[backend.rindex("func ", 0, backend.index(call)) : backend.index(call)]
        assert "breadcrumb?.lay(" in function, call


def test_what_is_shared_can_be_saved_where_sharing_saves_nothing() -> None:
    # On a Mac the system's menu of sharing offers no folder.
    for path in sources("Sources/TinyMLUI"):
        source = path.read_text(encoding="utf-8")
        if "ShareLink(" in source:
            assert ".fileExporter(" in source, path.name
        if "Form {" in source:
            assert ".formStyle(.grouped)" in source, path.name


def test_one_model_for_all_windows_told_of_their_phase() -> None:
    made = [path.name for path in sources("Sources", "App") if re.search(r"\bAppModel\(\)", path.read_text("utf-8"))]
    assert made == ["TinyMLDemoApp.swift"]
    app = (PACKAGE / "App/TinyMLDemo/TinyMLDemoApp.swift").read_text(encoding="utf-8")
    assert "scenePhase" in app
    assert "isInBackground(phase == .background)" in app


#: Where an address is read from: each asks first whether it is one of a file.
READS_ADDRESSES = {"CoordinatedFile.swift"}


def test_only_files_are_read() -> None:
    for path in sources("Sources/TinyMLApple", "Sources/TinyMLUI"):
        source = path.read_text(encoding="utf-8")
        assert "dropDestination(for: URL.self" not in source, f"{path.name}: a dropped link would be fetched"
        if re.search(r"Data\(contentsOf:", source):
            assert path.name in READS_ADDRESSES, path.name
            assert "isFileURL" in source, path.name


def test_inputs_have_surfaces_and_large_photos_go_through_thumbnails() -> None:
    bridge = (PACKAGE / "Sources/TinyMLApple/PixelBufferBridge.swift").read_text(encoding="utf-8")
    assert "kCVPixelBufferIOSurfacePropertiesKey" in bridge
    creating = [p.name for p in sources("Sources") if "CVPixelBufferCreate(" in p.read_text("utf-8")]
    assert creating == ["PixelBufferBridge.swift"]
    reader = (PACKAGE / "Sources/TinyMLApple/ImageFileReader.swift").read_text(encoding="utf-8")
    assert "PhotoSize.thumbnail" in reader
    assert "CGImageSourceCreateThumbnailAtIndex" in reader


def test_compiled_models_lie_in_the_caches() -> None:
    for path in sources("Sources/TinyMLApple"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r'support\.appendingPathComponent\("Compiled", isDirectory', source), path.name
    cache = (PACKAGE / "Sources/TinyMLApple/CompiledModelCache.swift").read_text(encoding="utf-8")
    assert 'AppFolders.caches.appendingPathComponent("Compiled"' in cache


def test_what_blocks_is_called_on_a_queue_of_its_own() -> None:
    # Compiling and loading wait for Core ML; an asynchronous function would hold a thread that all such work shares.
    for path in sources("Sources/TinyMLApple", "Sources/TinyMLUI"):
        source = path.read_text(encoding="utf-8")
        for body in re.findall(r"func [^{]*\basync\b[^{]*\{\n(.*?)\n    \}", source, re.DOTALL):
            outside = re.sub(r"queue\.run \{.*", "", body, flags=re.DOTALL)
            assert not re.search(r"cache\.compiled\(|CompiledModelCache\.compile\(|Blocking\.value", outside), path.name


@pytest.mark.parametrize("path", sources("Sources", "App"), ids=lambda path: path.name)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
