"""`tinyml app sync`: what arrives in the app's model folder, and what is refused before anything changes there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.cli.app import run
from tinyml.errors import ArtifactError, UsageError
from tinyml.evaluation.opening import open_model
from tinyml.export.app_models import newest_core_ml, sync
from tinyml.schema import AppCatalog, Artifact, Golden
from tinyml.store import file_sha256, read_json, size_bytes, write_json
from tinyml.trainer.data.images import decode
from tinyml.workspace import Workspace, artifact_manifest

from .make_fixtures import artifact as artifact_fixture
from .make_fixtures import golden as golden_fixture

SHIPPED = Path(__file__).parents[2] / "swift_demo" / "App" / "Models"


def exported(root: Path, model: str, variant: str, *, made: str = "2026-11-23T17:05:09Z", kind: str = "coreml") -> Path:
    """A folder as `tinyml export` leaves it, its model a stand-in; returns the manifest."""
    folder = root / model / "exports" / variant
    package = folder / f"{model}-{variant}.mlpackage"
    (package / "Data").mkdir(parents=True)
    (package / "Data" / "weight.bin").write_bytes(f"{model} {variant}".encode())
    (folder / "golden.png").write_bytes(b"an image")
    fields = artifact_fixture()
    fields["path"] = package.name
    fields["sha256"] = file_sha256(package)
    fields["bytes"] = size_bytes(package)
    fields["variant"].update(name=variant, format=kind)
    fields["spec"]["architecture"] = model
    fields["provenance"]["created_at"] = made
    write_json(folder / "manifest.json", Artifact.model_validate(fields))
    golden = golden_fixture() | {
        "artifact_sha256": fields["sha256"],
        "image_sha256": hashlib.sha256(b"an image").hexdigest(),
    }
    write_json(folder / "golden.json", Golden.model_validate(golden))
    return folder / "manifest.json"


def test_the_newest_export_arrives_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results, target = tmp_path / "results", tmp_path / "app" / "Models"
    exported(results, "vgg", "coreml-fp16", made="2026-11-22T00:00:00Z")
    exported(results, "vit", "coreml-fp16")
    exported(results, "vit", "coreml-w8")
    exported(results, "vit", "onnx-fp32", kind="onnx")
    target.mkdir(parents=True)
    (target / "old").write_text("goes")
    assert run(["app", "sync", "--results", str(results), "--app", str(target), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [entry["folder"] for entry in printed["models"]] == ["vit-coreml-fp16", "vit-coreml-w8"]
    assert sorted(path.name for path in target.iterdir()) == ["catalog.json", "vit-coreml-fp16", "vit-coreml-w8"]
    for entry in read_json(target / "catalog.json", AppCatalog).models:
        artifact = read_json(target / entry.folder / "manifest.json", Artifact)
        assert file_sha256(target / entry.folder / artifact.path) == entry.artifact_sha256 == artifact.sha256
        assert (target / entry.folder / "golden.png").is_file()
        assert (target / entry.folder / "golden.json").is_file()


def test_an_artifact_is_named_by_folder_package_or_manifest(tmp_path: Path) -> None:
    manifest = exported(tmp_path, "vit", "coreml-fp16")
    names = [manifest, manifest.parent, manifest.parent / "vit-coreml-fp16.mlpackage"]
    assert [artifact_manifest(name) for name in names] == [manifest] * 3
    with pytest.raises(ArtifactError, match="no such artifact"):
        artifact_manifest(tmp_path / "nowhere")


def test_two_of_one_name_stay_apart(tmp_path: Path) -> None:
    one = exported(tmp_path / "a", "vit", "coreml-fp16")
    two = exported(tmp_path / "b", "vit", "coreml-fp16")
    folders = [entry.folder for entry in sync([one, two], tmp_path / "Models").models]
    assert len(set(folders)) == 2


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("vit-coreml-fp16.mlpackage/Data/weight.bin", "has changed since it was exported"),
        ("golden.png", "belongs to another model"),
    ],
)
def test_what_changed_is_refused_and_the_app_stays(tmp_path: Path, spoil: str, message: str) -> None:
    manifest = exported(tmp_path, "vit", "coreml-fp16")
    target = tmp_path / "Models"
    sync([manifest], target)
    before = file_sha256(target)
    (manifest.parent / spoil).write_bytes(b"something else")
    with pytest.raises(ArtifactError, match=message):
        sync([manifest], target)
    assert file_sha256(target) == before


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    manifest = exported(tmp_path, "vit", "coreml-fp16")
    (manifest.parent / "golden.json").unlink()
    with pytest.raises(ArtifactError, match="no golden image"):
        sync([manifest], tmp_path / "Models")


def test_the_golden_image_may_be_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # The app's first model is a real one, which can be executed.
    shipped = next(SHIPPED.glob("*/manifest.json"))
    image, target = tmp_path / "own.png", tmp_path / "Models"
    Image.linear_gradient("L").convert("RGB").rotate(30).save(image)
    words = ["app", "sync", str(shipped), "--app", str(target), "--golden-image", str(image)]
    assert run(words) == 0
    (entry,) = read_json(target / "catalog.json", AppCatalog).models
    golden = read_json(target / entry.folder / "golden.json", Golden)
    opened = open_model(target / entry.folder)
    pixels = decode(image, opened.predictor.spec.preprocess, "own.png")
    assert np.array_equal(np.asarray(Image.open(target / entry.folder / golden.image)), pixels)
    scores = opened.predictor.probabilities(pixels[None])[0]
    expected = {label: float(score) for label, score in zip(opened.predictor.spec.labels, scores, strict=True)}
    assert [expected[label] for label in golden.labels] == pytest.approx(golden.probabilities)
    assert golden.probabilities[0] == pytest.approx(max(expected.values()))
    assert golden.artifact_sha256 == entry.artifact_sha256

    before = file_sha256(target)
    image.write_text("no image")
    capsys.readouterr()
    assert run(words) == 1
    assert "own.png" in capsys.readouterr().err
    assert file_sha256(target) == before


def test_other_formats_are_refused(tmp_path: Path) -> None:
    manifest = exported(tmp_path, "vit", "onnx-fp32", kind="onnx")
    with pytest.raises(UsageError, match="Core ML and Core AI models only"):
        sync([manifest], tmp_path / "Models")
    with pytest.raises(ArtifactError, match="no Core ML artifact"):
        newest_core_ml(Workspace(tmp_path))


def test_a_core_ai_model_is_copied_where_it_is_named(tmp_path: Path) -> None:
    manifest = exported(tmp_path, "vit", "coreai-w8", kind="coreai")
    catalog = sync([manifest], tmp_path / "Models")
    assert [entry.folder for entry in catalog.models] == ["vit-coreai-w8"]
    with pytest.raises(ArtifactError, match="no Core ML artifact"):
        newest_core_ml(Workspace(tmp_path))


def test_a_folder_that_is_no_app_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exported(tmp_path, "vit", "coreml-fp16")
    assert run(["app", "sync", "--results", str(tmp_path), "--app", str(tmp_path / "no" / "Models")]) == 2
    assert "no such app folder" in capsys.readouterr().err


def test_the_app_has_a_small_model_from_the_start() -> None:
    folder = SHIPPED
    catalog = read_json(folder / "catalog.json", AppCatalog)
    assert catalog.models
    for entry in catalog.models:
        artifact = read_json(folder / entry.folder / "manifest.json", Artifact)
        golden = read_json(folder / entry.folder / "golden.json", Golden)
        assert artifact.data == "tiny-imagenet"
        assert file_sha256(folder / entry.folder / artifact.path) == entry.artifact_sha256 == artifact.sha256
        assert golden.artifact_sha256 == artifact.sha256
    assert size_bytes(folder) < 3_000_000
