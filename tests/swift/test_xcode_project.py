"""The Xcode project, its scheme, property lists and asset catalog, linted without Xcode.

What a linter cannot know is whether Xcode likes the project: that is for the build on macOS.
"""

from __future__ import annotations

import json
import plistlib
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openstep_plist
import pytest
from PIL import Image

from .package import PACKAGE, sources
from .strings import literals, localizable_texts, offered_texts

APP = Path(__file__).parents[2] / "swift_demo" / "App"
FOLDER = APP / "TinyMLDemo"
PROJECT = APP / "TinyMLDemo.xcodeproj"

REFERENCES = {
    "baseConfigurationReference",
    "buildConfigurationList",
    "buildConfigurations",
    "buildPhases",
    "children",
    "exceptions",
    "fileRef",
    "files",
    "fileSystemSynchronizedGroups",
    "mainGroup",
    "packageProductDependencies",
    "packageReferences",
    "productRef",
    "productReference",
    "productRefGroup",
    "target",
    "targetProxy",
    "targets",
    "containerPortal",
    "dependencies",
    "remoteGlobalIDString",
}
IDENTIFIER = re.compile(r"^[0-9A-F]{24}$")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    text = (PROJECT / "project.pbxproj").read_text(encoding="utf-8")
    parsed: dict[str, Any] = openstep_plist.loads(text, use_numbers=True)
    return parsed


def references(entry: dict[str, Any]) -> set[str]:
    """The ids that an object names."""
    found: set[str] = set()
    for key in REFERENCES & entry.keys():
        value = entry[key]
        found.update(value if isinstance(value, list) else [value])
    return found


def place(objects: dict[str, Any], identifier: str) -> Path:
    """Where the file or folder of an object lies, its groups' paths before it."""
    path = Path(objects[identifier].get("path", ""))
    for parent, entry in objects.items():
        if identifier in entry.get("children", []):
            return place(objects, parent) / path
    return APP / path


def configuration(name: str) -> dict[str, str]:
    """The settings of a configuration file and those that it includes; `#include?` names may be absent."""
    settings: dict[str, str] = {}
    path = APP / "Config" / name
    for line in path.read_text(encoding="utf-8").splitlines():
        include = re.match(r'#include(\??) "(.+)"', line)
        if include and not include[1]:
            settings |= configuration(include[2])
        elif not line.startswith(("//", "#")) and " = " in line:
            key, value = line.split(" = ", 1)
            settings[key] = value
    return settings


def test_the_format_is_that_of_xcode_16(project: dict[str, Any]) -> None:
    assert project["objectVersion"] == 77
    assert project["objects"][project["rootObject"]]["isa"] == "PBXProject"


def test_every_reference_resolves_and_nothing_dangles(project: dict[str, Any]) -> None:
    objects = project["objects"]
    assert all(IDENTIFIER.match(identifier) for identifier in objects)
    used = {project["rootObject"]}
    for entry in objects.values():
        used |= references(entry)
    assert used - set(objects) == set(), "ids that name nothing"
    assert set(objects) - used == set(), "objects that nothing names"
    text = (PROJECT / "project.pbxproj").read_text(encoding="utf-8")
    assert set(re.findall(r"\b[0-9A-F]{24}\b", text)) == set(objects)


def test_the_lint_sees_a_dangling_reference(project: dict[str, Any]) -> None:
    broken = {"isa": "PBXBuildFile", "fileRef": "0" * 24}
    assert references(broken) - set(project["objects"]) == {"0" * 24}


def test_every_file_and_folder_is_there(project: dict[str, Any]) -> None:
    objects = project["objects"]
    kinds = {"PBXFileReference", "PBXFileSystemSynchronizedRootGroup", "PBXGroup"}
    looked_at = 0
    for identifier, entry in objects.items():
        if entry["isa"] in kinds and entry.get("path") and entry["sourceTree"] == "<group>":
            assert place(objects, identifier).exists(), entry["path"]
            looked_at += 1
    assert looked_at >= 5


def test_exceptions_name_files_of_their_folder(project: dict[str, Any]) -> None:
    sets = [e for e in project["objects"].values() if e["isa"] == "PBXFileSystemSynchronizedBuildFileExceptionSet"]
    assert sets
    for entry in sets:
        for member in entry["membershipExceptions"]:
            assert (FOLDER / member).is_file()


def test_the_package_is_the_one_above(project: dict[str, Any]) -> None:
    objects = project["objects"].values()
    (reference,) = [entry for entry in objects if entry["isa"] == "XCLocalSwiftPackageReference"]
    manifest = APP / reference["relativePath"] / "Package.swift"
    products = [e["productName"] for e in objects if e["isa"] == "XCSwiftPackageProductDependency"]
    for product in products:
        assert f'.library(name: "{product}"' in manifest.read_text(encoding="utf-8")


def test_models_are_copied_as_a_folder(project: dict[str, Any]) -> None:
    # In a synchronized folder Xcode would compile the packages and put every manifest.json in one place.
    objects = project["objects"]
    (app,) = [entry for entry in objects.values() if entry.get("name") == "TinyMLDemo" and "buildPhases" in entry]
    (resources,) = [objects[i] for i in app["buildPhases"] if objects[i]["isa"] == "PBXResourcesBuildPhase"]
    copied = [objects[objects[file]["fileRef"]] for file in resources["files"]]
    assert [(entry["path"], entry["lastKnownFileType"]) for entry in copied] == [("Models", "folder")]


@pytest.mark.parametrize("name", ["Debug.xcconfig", "Release.xcconfig"])
def test_one_target_builds_for_every_system(name: str) -> None:
    settings = configuration(name)
    assert settings["SDKROOT"] == "auto"
    assert settings["SUPPORTED_PLATFORMS"].split() == ["iphoneos", "iphonesimulator", "macosx"]
    assert settings["SWIFT_VERSION"] == "6.0"
    manifest = (APP.parent / "Package.swift").read_text(encoding="utf-8")
    ios, macos = settings["IPHONEOS_DEPLOYMENT_TARGET"], settings["MACOSX_DEPLOYMENT_TARGET"]
    assert f".iOS(.v{ios.removesuffix('.0')}), .macOS(.v{macos.removesuffix('.0')})" in manifest
    assert settings["GENERATE_INFOPLIST_FILE"] == "YES"
    assert settings["INFOPLIST_KEY_NSCameraUsageDescription"].strip()
    assert settings["COREML_CODEGEN_LANGUAGE"] == "None"


def test_settings_name_files_that_exist() -> None:
    settings = configuration("Release.xcconfig")
    assert (APP / settings["CODE_SIGN_ENTITLEMENTS[sdk=macosx*]"]).is_file()
    catalog = FOLDER / "Assets.xcassets"
    assert (catalog / f"{settings['ASSETCATALOG_COMPILER_APPICON_NAME']}.appiconset").is_dir()
    assert (catalog / f"{settings['ASSETCATALOG_COMPILER_GLOBAL_ACCENT_COLOR_NAME']}.colorset").is_dir()


def test_teams_stay_out_of_the_repository() -> None:
    ignored = (APP.parents[1] / ".gitignore").read_text(encoding="utf-8")
    assert "swift_demo/App/Local.xcconfig" in ignored
    assert "DEVELOPMENT_TEAM = $(TINYML_TEAM)" in (APP / "Config" / "Shared.xcconfig").read_text(encoding="utf-8")
    assert not re.search(r"DEVELOPMENT_TEAM = \w", (PROJECT / "project.pbxproj").read_text(encoding="utf-8"))


def test_entitlements_are_what_the_app_needs() -> None:
    with (FOLDER / "TinyMLDemo.entitlements").open("rb") as file:
        entitlements = plistlib.load(file)
    assert entitlements == {
        "com.apple.security.app-sandbox": True,
        "com.apple.security.device.camera": True,
        "com.apple.security.files.user-selected.read-write": True,
        "com.apple.security.network.client": True,
    }


def test_the_privacy_manifest_says_that_nothing_is_collected() -> None:
    with (FOLDER / "PrivacyInfo.xcprivacy").open("rb") as file:
        privacy = plistlib.load(file)
    assert privacy["NSPrivacyTracking"] is False
    assert privacy["NSPrivacyCollectedDataTypes"] == []


#: Symbols whose use an app must give a reason for, by the category of Apple's list; what is found is rejected without.
REASONED = {
    "NSPrivacyAccessedAPICategoryFileTimestamp": (
        r"creationDate|modificationDate|ModificationDate|\b[fl]?stat(?:at)?\(|getattrlist"
    ),
    "NSPrivacyAccessedAPICategorySystemBootTime": r"systemUptime|mach_absolute_time|CLOCK_MONOTONIC|clock_gettime",
    "NSPrivacyAccessedAPICategoryDiskSpace": r"volumeAvailableCapacity|systemFreeSize|systemSize|statv?fs",
    "NSPrivacyAccessedAPICategoryActiveKeyboards": r"activeInputModes",
    "NSPrivacyAccessedAPICategoryUserDefaults": r"UserDefaults|@AppStorage|@SceneStorage",
}


def reasoned(source: str) -> set[str]:
    """The categories of which a source uses something."""
    return {category for category, symbols in REASONED.items() if re.search(symbols, source)}


def test_the_privacy_manifest_gives_a_reason_for_what_needs_one() -> None:
    with (FOLDER / "PrivacyInfo.xcprivacy").open("rb") as file:
        entries = plistlib.load(file)["NSPrivacyAccessedAPITypes"]
    given = {each["NSPrivacyAccessedAPIType"] for each in entries if each["NSPrivacyAccessedAPITypeReasons"]}
    code = [*sources("Sources", "App/TinyMLDemo", "App/Shared", "App/TinyMLControls"), *PACKAGE.rglob("Sources/**/*.c")]
    assert {category for path in code for category in reasoned(path.read_text(encoding="utf-8"))} == given
    assert reasoned("UserDefaults.standard") == {"NSPrivacyAccessedAPICategoryUserDefaults"}
    assert reasoned("URLResourceValues().contentModificationDate") == {"NSPrivacyAccessedAPICategoryFileTimestamp"}


def test_the_scheme_builds_and_runs_the_target(project: dict[str, Any]) -> None:
    scheme = ElementTree.parse(PROJECT / "xcshareddata" / "xcschemes" / "TinyMLDemo.xcscheme")  # noqa: S314
    buildables = scheme.findall(".//BuildableReference")
    assert len(buildables) == 4
    for buildable in buildables:
        target = project["objects"][buildable.attrib["BlueprintIdentifier"]]
        assert target["isa"] == "PBXNativeTarget"
        assert buildable.attrib["BlueprintName"] == target["name"]
        product = project["objects"][target["productReference"]]
        assert buildable.attrib["BuildableName"] == product["path"]
        assert buildable.attrib["ReferencedContainer"] == f"container:{PROJECT.name}"


@pytest.mark.parametrize(
    "contents", sorted((FOLDER / "Assets.xcassets").rglob("Contents.json")), ids=lambda p: p.parent.name
)
def test_the_asset_catalog_is_whole(contents: Path) -> None:
    catalog = json.loads(contents.read_text(encoding="utf-8"))
    assert catalog["info"]["version"] == 1
    named = {image["filename"] for image in catalog.get("images", [])}
    there = {path.name for path in contents.parent.iterdir() if path.is_file()} - {"Contents.json"}
    assert named == there
    for image in catalog.get("images", []):
        points = float(image["size"].split("x")[0]) * float(image.get("scale", "1x").rstrip("x"))
        with Image.open(contents.parent / image["filename"]) as icon:
            assert icon.size == (points, points)
            # The system cuts an iOS icon's corners itself; on a Mac the picture brings its margin along.
            assert icon.mode == ("RGBA" if image["idiom"] == "mac" else "RGB")
            if icon.mode == "RGBA":
                assert icon.getchannel("A").getpixel((0, 0)) == 0, "a full square"


def test_the_icon_has_dark_and_tinted_variants() -> None:
    contents = json.loads((FOLDER / "Assets.xcassets/AppIcon.appiconset/Contents.json").read_text(encoding="utf-8"))
    ios = [image for image in contents["images"] if image["idiom"] == "universal"]
    assert [[a["value"] for a in image.get("appearances", [])] for image in ios] == [[], ["dark"], ["tinted"]]
    with Image.open(FOLDER / "Assets.xcassets/AppIcon.appiconset" / ios[2]["filename"]) as tinted:
        red, green, blue = tinted.split()
        assert red.tobytes() == green.tobytes() == blue.tobytes(), "the system colors a gray picture"


#: Info.plist keys that a symbol in the sources makes necessary.
IMPLIED_KEYS = {
    "AVCaptureDevice": "NSCameraUsageDescription",
    "continuityCamera": "NSCameraUseContinuityCameraDeviceType",
    "AVAudioSession": "NSMicrophoneUsageDescription",
    "PHPhotoLibrary": "NSPhotoLibraryAddUsageDescription",
    "CLLocationManager": "NSLocationWhenInUseUsageDescription",
}


def info_keys() -> set[str]:
    """The keys of the app's Info.plist: those of its file and those that settings generate."""
    settings = configuration("Release.xcconfig")
    with (APP / settings["INFOPLIST_FILE"]).open("rb") as file:
        written = set(plistlib.load(file))
    prefix = "INFOPLIST_KEY_"
    return written | {key.removeprefix(prefix).split("[")[0] for key in settings if key.startswith(prefix)}


def missing_keys(source: str, keys: set[str]) -> set[str]:
    """What Info.plist lacks for the symbols of a source."""
    return {key for symbol, key in IMPLIED_KEYS.items() if re.search(rf"\b{symbol}\b", source)} - keys


def test_info_plist_has_the_keys_that_symbols_imply() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in sources("Sources", "App"))
    assert missing_keys(text, info_keys()) == set()
    assert missing_keys(".continuityCamera", set()) == {"NSCameraUseContinuityCameraDeviceType"}
    assert not list(FOLDER.rglob("Info.plist")), "a synchronized folder would copy it as a resource"


def test_permission_texts_are_in_every_language() -> None:
    catalog = json.loads((FOLDER / "InfoPlist.xcstrings").read_text(encoding="utf-8"))
    settings = configuration("Release.xcconfig")
    asked = {key for key in info_keys() if key.endswith("UsageDescription")}
    assert set(catalog["strings"]) == asked
    for key in asked:
        texts = catalog["strings"][key]["localizations"]
        assert texts["en"]["stringUnit"]["value"] == settings[f"INFOPLIST_KEY_{key}"]
        assert texts["de"]["stringUnit"]["value"].strip()
        assert texts["de"] != texts["en"]


def test_every_text_is_in_the_string_catalog() -> None:
    strings = translations(FOLDER / "Localizable.xcstrings")
    # What is a text by its type alone is looked up by the snapshots of screens and errors.
    assert localizable_texts() - set(strings) == set()
    assert set(strings) - literals() == set(), "nothing says these"


def translations(catalog: Path) -> dict[str, str]:
    """The German texts of a string catalog, each with its key, and with as many places for values."""
    content = json.loads(catalog.read_text(encoding="utf-8"))
    texts = {key: entry["localizations"]["de"]["stringUnit"]["value"] for key, entry in content["strings"].items()}
    for key, text in texts.items():
        assert text.strip(), key
        assert len(re.findall(r"%@|%\d\$@", text)) == key.count("%@"), key
        assert re.findall(r"\$\{\w+\}", text) == re.findall(r"\$\{\w+\}", key), key
    return texts


def test_the_controls_and_what_is_spoken_have_their_own_catalogs() -> None:
    assert set(translations(APP / "TinyMLControls/Localizable.xcstrings")) == offered_texts("Shared", "TinyMLControls")
    source = (FOLDER / "ClassifyPhotoIntent.swift").read_text(encoding="utf-8")
    spoken = {phrase.replace("\\(.", "${").replace(")", "}") for phrase in re.findall(r'phrases: \["(.*?)"\]', source)}
    assert set(translations(FOLDER / "AppShortcuts.xcstrings")) == spoken
    assert all("${applicationName}" in phrase for phrase in spoken), "Siri wants the app's name in each"


def test_the_control_asks_for_the_screen_that_the_app_shows() -> None:
    asked = (APP / "Shared/OpenCameraIntent.swift").read_text(encoding="utf-8")
    answered = "".join(path.read_text(encoding="utf-8") for path in sources("Sources/TinyMLUI"))
    (name,) = re.findall(r'Notification\.Name\("(.+?)"\)', asked)
    assert f'Notification.Name("{name}")' in answered
    # A notification reaches nobody in another process: the app itself performs the intent.
    assert "openAppWhenRun = true" in asked


def test_the_controls_are_an_extension_inside_the_app(project: dict[str, Any]) -> None:
    objects = project["objects"]
    targets = {entry["name"]: entry for entry in objects.values() if entry["isa"] == "PBXNativeTarget"}
    controls, app = targets["TinyMLControls"], targets["TinyMLDemo"]
    assert controls["productType"] == "com.apple.product-type.app-extension"
    (embedding,) = [objects[i] for i in app["buildPhases"] if objects[i]["isa"] == "PBXCopyFilesBuildPhase"]
    assert embedding["dstSubfolderSpec"] == 13
    embedded = [objects[file] for file in embedding["files"]]
    assert [file["fileRef"] for file in embedded] == [controls["productReference"]]
    dependencies = [objects[i] for i in app["dependencies"]]
    assert [objects[each["target"]]["name"] for each in dependencies] == ["TinyMLControls"]
    # Controls came to the Mac with a system that Xcode 16 does not know.
    assert {each["platformFilter"] for each in [*embedded, *dependencies]} == {"ios"}
    shared = [i for i, entry in objects.items() if entry.get("path") == "Shared"]
    assert all(set(shared) <= set(target["fileSystemSynchronizedGroups"]) for target in (app, controls))
    configurations = objects[controls["buildConfigurationList"]]["buildConfigurations"]
    for settings in (objects[i]["buildSettings"] for i in configurations):
        assert settings["PRODUCT_BUNDLE_IDENTIFIER"].startswith(
            configuration("Release.xcconfig")["PRODUCT_BUNDLE_IDENTIFIER"] + "."
        )
        # Older phones have the app without the control.
        assert settings["IPHONEOS_DEPLOYMENT_TARGET"] == 18.0
        with (APP / settings["INFOPLIST_FILE"]).open("rb") as file:
            extension = plistlib.load(file)["NSExtension"]
        assert extension == {"NSExtensionPointIdentifier": "com.apple.widgetkit-extension"}


def test_no_text_is_put_together_from_parts() -> None:
    # A key with a value inside would be looked up as a format; values go in as verbatim texts instead.
    assert [text for text in localizable_texts() if "\\(" in text] == []
