"""Exports of one fitted model: what is written, what is refused, what stays."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from tinyml.coreml.read.package import open_package
from tinyml.errors import (
    ArtifactError,
    CheckpointError,
    ManifestError,
    TinyMLError,
    UnknownNameError,
    VerificationError,
)
from tinyml.evaluation.opening import open_model, open_predictor
from tinyml.evaluation.runtime import Outputs
from tinyml.export import pipeline
from tinyml.export.format import formats
from tinyml.export.original import Original
from tinyml.export.variants import variants
from tinyml.export.verify import CheckpointAnswers, Verifier, mcnemar, verification_of
from tinyml.numerics import psnr_db, softmax
from tinyml.schema import Artifact, Floor, Golden, Verification, WeightProof
from tinyml.store import file_sha256, read_json, write_json
from tinyml.workspace import Workspace, checkpoint_origin, read_artifact

from ..conftest import VARIANTS, TrainedResults

ALL = pytest.mark.parametrize("variant", VARIANTS)


@ALL
def test_manifest_describes_a_verified_artifact(trained_results: TrainedResults, variant: str) -> None:
    manifest = trained_results.artifacts[variant]
    artifact, path = read_artifact(manifest)

    assert path.name == f"{trained_results.model}-{variant}{formats.get(artifact.variant.format).suffix}"
    assert artifact.sha256 == file_sha256(path)
    assert artifact.verification is not None
    assert artifact.verification.passed
    assert artifact.verification.images == trained_results.images
    assert [item.name for item in artifact.inputs] == ["image"]
    assert artifact.outputs[-1].name == "probabilities"
    assert sorted(p.name for p in manifest.parent.iterdir()) == sorted(
        ["golden.json", "golden.png", "manifest.json", "proof.json", path.name]
    )


@ALL
def test_an_artifact_says_nothing_of_where_it_was_made(trained_results: TrainedResults, variant: str) -> None:
    _, path = read_artifact(trained_results.artifacts[variant])
    content = path.read_bytes() if path.is_file() else b"".join(f.read_bytes() for f in path.rglob("*") if f.is_file())
    for place in (Path(pipeline.__file__).parent, Path(__file__).parents[2], Path(np.__file__).parents[1]):
        assert str(place).encode() not in content


@ALL
def test_the_proof_of_every_weight_lies_beside_it(trained_results: TrainedResults, variant: str) -> None:
    manifest = trained_results.artifacts[variant]
    artifact, path = read_artifact(manifest)
    proof = read_json(manifest.with_name("proof.json"), WeightProof)
    assert (proof.artifact_sha256, proof.checkpoint_sha256) == (artifact.sha256, artifact.checkpoint_sha256)
    stored = formats.get(artifact.variant.format).stored_weights(path)
    assert sorted(weight.layer for weight in proof.weights) == sorted(weight.layer for weight in stored)
    most = 0.02 if artifact.variant.compression else {"fp32": 1e-6, "fp16": 1e-3}[artifact.variant.precision]
    assert all(weight.error < most for weight in proof.weights)
    if artifact.variant.compression:
        # Plain rounding is what a kind allows, times 1.05: the proof is no far cry from the error that is there.
        assert any(weight.of_allowed > 0.5 for weight in proof.weights)


@ALL
def test_golden_image_reproduces_its_expectations(trained_results: TrainedResults, variant: str) -> None:
    folder = trained_results.artifacts[variant].parent
    golden = read_json(folder / "golden.json", Golden)
    with Image.open(folder / golden.image) as image:
        pixels = np.asarray(image.convert("RGB"))[None]

    predictor = open_predictor(folder)
    scores = predictor.probabilities(pixels)[0]

    found = {label: float(score) for label, score in zip(predictor.spec.labels, scores, strict=True)}
    assert max(found, key=found.__getitem__) == golden.labels[0]
    for label, probability in zip(golden.labels, golden.probabilities, strict=True):
        assert found[label] == pytest.approx(probability, abs=golden.tolerance)
    assert golden.image_sha256 == file_sha256(folder / golden.image)


def test_int8_is_a_quarter_and_fp16_half_of_fp32(trained_results: TrainedResults) -> None:
    sizes = {name: read_json(path, Artifact).bytes for name, path in trained_results.artifacts.items()}
    weights = read_json(trained_results.artifacts["coreml-fp32"], Artifact).spec.parameters
    # By what is saved: the program beside the weights of a network this small is as large as a tenth of them.
    assert sizes["coreml-fp32"] - sizes["coreml-fp16"] == pytest.approx(2 * weights, rel=0.02)
    assert sizes["coreml-fp16"] - sizes["coreml-w8"] == pytest.approx(weights, rel=0.05)
    assert sizes["onnx-fp32"] - sizes["onnx-w8a8"] == pytest.approx(3 * weights, rel=0.1)


def test_a_layer_keeps_its_name_where_quantizing_sorts_its_branch_anew(trained_results: TrainedResults) -> None:
    plain, quantized = (
        {
            (w.layer, w.shape)
            for w in formats.get("onnx").stored_weights(read_artifact(trained_results.artifacts[name])[1])
        }
        for name in ("onnx-fp32", "onnx-w8a8")
    )
    assert plain == quantized
    assert ("blocks.3.shortcut.0", (32, 16, 1, 1)) in plain


def test_core_ml_interface_and_metadata(trained_results: TrainedResults) -> None:
    _, path = read_artifact(trained_results.artifacts["coreml-w8"])
    description = open_package(path).description
    (image,) = description.input
    assert image.name == "image"
    assert (image.type.imageType.width, image.type.imageType.height) == (64, 64)
    assert [output.name for output in description.output] == ["classLabel", "probabilities"]
    assert description.predictedFeatureName == "classLabel"
    assert description.predictedProbabilitiesName == "probabilities"
    metadata = description.metadata
    assert "shapes" in metadata.shortDescription
    assert metadata.license
    assert metadata.author.startswith("tinyml")
    assert metadata.userDefined["tinyml.checkpoint_sha256"].startswith(metadata.versionString)


def test_onnx_takes_any_batch_and_says_its_labels(trained_results: TrainedResults) -> None:
    import onnx

    artifact, path = read_artifact(trained_results.artifacts["onnx-fp32"])
    model = onnx.load(path)
    props = {prop.key: prop.value for prop in model.metadata_props}
    assert json.loads(props["labels"]) == list(artifact.spec.labels)
    assert artifact.inputs[0].shape == (None, 3, 64, 64)
    assert [entry.version for entry in model.opset_import if entry.domain == ""] == [18]
    predictor = open_predictor(path)
    for count in (1, 3):
        assert predictor.probabilities(np.zeros((count, 64, 64, 3), np.uint8)).shape == (count, artifact.spec.classes)


def test_missed_floor_is_named_and_leaves_the_earlier_export(trained_results: TrainedResults, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    shutil.copytree(trained_results.workspace.root, workspace.root)
    target = workspace.export(trained_results.model, "onnx-fp32")
    before = file_sha256(target)
    impossible = Floor(top1_agreement=1.0, psnr_db=1000.0, max_accuracy_drop=0.0)
    strict = variants.get("onnx-fp32").model_copy(update={"floor": impossible})
    exporter = pipeline.Exporter(Original(workspace.newest_checkpoint(), images=10), workspace)

    with pytest.raises(VerificationError, match=r"PSNR of the logits \d+\.\d dB is below 1000\.0 dB"):
        exporter.write(strict)

    assert file_sha256(target) == before
    assert [p.name for p in target.parent.iterdir() if p.name.startswith(".")] == []


def test_what_missed_its_floor_is_kept_aside_for_whoever_asks(trained_results: TrainedResults, tmp_path: Path) -> None:
    impossible = Floor(top1_agreement=1.0, psnr_db=1000.0, max_accuracy_drop=0.0)
    strict = variants.get("onnx-fp32").model_copy(update={"floor": impossible})
    workspace = Workspace(tmp_path / "results")
    exporter = pipeline.Exporter(Original(trained_results.checkpoint, images=10), workspace, keep_failed=True)
    with pytest.raises(VerificationError, match=r"kept in .*failed/onnx-fp32"):
        exporter.write(strict)
    artifact, path = read_artifact(workspace.failed(trained_results.model, "onnx-fp32") / "manifest.json")
    assert path.is_file()
    assert artifact.verification is not None
    assert not artifact.verification.passed
    with pytest.raises(ArtifactError, match="nothing exported"):  # nobody takes it for an export
        workspace.artifacts()


def test_the_export_of_another_training_is_kept(trained_results: TrainedResults, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "results")
    shutil.copytree(trained_results.workspace.root, workspace.root)
    target = workspace.export(trained_results.model, "onnx-fp32")
    original = Original(workspace.newest_checkpoint(), images=10)
    exporter = pipeline.Exporter(original, workspace)
    exporter.write(variants.get("onnx-fp32"))  # of the same checkpoint: replaced
    assert not (target.parent.parent / "earlier").exists()
    for name in ("onnx-fp32-of-best-0", "onnx-fp32-of-best-0-2"):
        artifact = read_json(target / "manifest.json", Artifact)
        origin = {"checkpoint_sha256": "0" * 64, "checkpoint_path": "../../runs/best-0/checkpoints/best.json"}
        write_json(target / "manifest.json", artifact.model_copy(update=origin))
        before = file_sha256(target)
        exporter.write(variants.get("onnx-fp32"))
        kept = target.parent.parent / "earlier" / name
        assert file_sha256(kept) == before
        assert read_json(target / "manifest.json", Artifact).checkpoint_sha256 == original.checkpoint.sha256
        assert kept / "manifest.json" not in workspace.artifacts()
        assert checkpoint_origin(read_json(kept / "manifest.json", Artifact), kept / "manifest.json") == (
            workspace.run(trained_results.model, "best-0").best
        )


def test_one_missed_floor_does_not_stop_the_others(trained_results: TrainedResults, tmp_path: Path) -> None:
    impossible = Floor(top1_agreement=1.0, psnr_db=1000.0, max_accuracy_drop=0.0)
    rows = [variants.get(name) for name in ("onnx-fp32", "coreml-fp16")]
    rows[0] = rows[0].model_copy(update={"floor": impossible})

    exported = pipeline.Exporter(Original(trained_results.checkpoint, images=10), Workspace(tmp_path)).export(rows)

    assert [read_artifact(manifest)[0].variant.name for manifest in exported.manifests] == ["coreml-fp16"]
    assert [*exported.failures] == ["onnx-fp32"]
    assert str(exported.failures["onnx-fp32"]).startswith(f"{trained_results.model} as onnx-fp32 is not written")
    with pytest.raises(VerificationError, match=r"1000\.0 dB; train the model further"):
        exported.check()


def test_figures_of_a_comparison_by_hand() -> None:
    logits = np.array([[2.0, 1.0, 0.0], [0.0, 4.0, 1.0]], np.float32)
    asked = CheckpointAnswers(
        images=np.zeros((2, 1, 1, 3), np.uint8),
        labels=np.array([0, 1]),
        logits=logits,
        probabilities=np.array([[0.7, 0.2, 0.1], [0.0, 0.9, 0.1]], np.float32),
        split="test",
        total=7,
    )
    outputs = Outputs(
        probabilities=np.array([[0.3, 0.6, 0.1], [0.0, 0.9, 0.1]], np.float32),
        logits=logits + np.array([[0.4], [0.0]], np.float32),
    )
    figures = verification_of(asked, outputs, floor=variants.get("coreml-fp16").floor, runtime="none")
    assert figures.top1_agreement == 0.5
    assert figures.top5_agreement is None  # of three classes
    assert (figures.reference.top1, figures.artifact.top1) == (1.0, 0.5)
    assert figures.max_difference == pytest.approx(0.4)
    assert figures.mean_difference == pytest.approx(0.8 / 6)
    # peak 4, mean square error 0.4^2 / 2: 10 log10(16 / 0.08)
    assert figures.psnr_db == pytest.approx(23.0103, abs=1e-3)
    assert [text.split(" is ")[0] for text in figures.failures] == [
        "top-1 agreement 0.5000",
        f"PSNR of the logits {figures.psnr_db:.1f} dB",
    ]  # one answer of two that became wrong is no proof of a drop
    assert psnr_db(logits, logits) == math.inf


FLOORS = {name: variants.get(name).floor for name in ("coreml-fp16", "coreml-w8", "onnx-w8a8")}


def compared(logits: NDArray[np.float32], answers: NDArray[np.float32], floor: Floor) -> Verification:
    """`answers` for those of an artifact whose checkpoint says `logits`, each image being of the checkpoint's class."""
    asked = CheckpointAnswers(
        images=np.zeros((len(logits), 1, 1, 3), np.uint8),
        labels=logits.argmax(1),
        logits=logits,
        probabilities=softmax(logits).astype(np.float32),
        split="test",
        total=len(logits),
    )
    outputs = Outputs(probabilities=softmax(answers).astype(np.float32), logits=answers)
    return verification_of(asked, outputs, floor=floor, runtime="none")


@pytest.mark.parametrize("name", FLOORS)
def test_a_network_that_is_undecided_is_not_held_against_the_conversion(name: str) -> None:
    floor, random = FLOORS[name], np.random.default_rng(0)
    # As a network's after a few steps: the same two classes lead everywhere, and hardly anything parts them.
    logits = random.normal(0, 0.1, (400, 10)).astype(np.float32)
    logits[:, 0] += 3.0
    logits[:, 1] = logits[:, 0] + random.normal(0, 0.01, 400).astype(np.float32)
    error = float(np.abs(logits).max()) / 10 ** (floor.psnr_db / 20) * 0.9
    answers = logits + random.normal(0, error, logits.shape).astype(np.float32)
    figures = compared(logits, answers, floor)
    assert figures.top1_agreement < floor.top1_agreement  # so that agreement alone would have refused it
    assert not [text for text in figures.failures if "agreement" in text]


@pytest.mark.parametrize("name", FLOORS)
@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_a_fault_of_the_conversion_is_found_however_sure_the_network_is(name: str, scale: float) -> None:
    random = np.random.default_rng(1)
    logits = (random.normal(0, 1, (400, 10)) * scale).astype(np.float32)
    for answers in (logits[:, ::-1], np.roll(logits, 1, axis=0), -logits, logits * 0):
        figures = compared(logits, np.ascontiguousarray(answers), FLOORS[name])
        assert any("agreement" in text for text in figures.failures)
        assert any("PSNR" in text for text in figures.failures)
        assert any("accuracy" in text for text in figures.failures)


def test_a_drop_that_chance_explains_is_none() -> None:
    for worse, better in ((0, 0), (1, 0), (5, 5), (12, 3), (40, 20)):
        changed = worse + better
        # Oracle: the exact binomial test, which McNemar's is.
        expected = stats.binomtest(worse, changed, alternative="greater").pvalue if changed else 1.0
        assert mcnemar(worse, better) == pytest.approx(expected, abs=1e-12)


def test_verify_refuses_a_changed_artifact_and_a_changed_checkpoint(
    trained_results: TrainedResults, tmp_path: Path
) -> None:
    root = tmp_path / "results"
    shutil.copytree(trained_results.workspace.root, root)
    manifest = root / trained_results.model / "exports" / "onnx-w8a8" / "manifest.json"
    assert Verifier(limit=10).verify(manifest).passed

    _, path = read_artifact(manifest)
    with path.open("ab") as file:
        file.write(b"\0")
    for pointed_at in (manifest, manifest.parent, path):
        with pytest.raises(ArtifactError, match="has changed since it was exported"):
            open_model(pointed_at)
    with pytest.raises(ArtifactError, match="has changed since it was exported"):
        Verifier(limit=10).verify(manifest)

    other = root / trained_results.model / "exports" / "onnx-fp32" / "manifest.json"
    content = json.loads(other.read_text())
    other.write_text(json.dumps({**content, "checkpoint_sha256": "0" * 64}))
    with pytest.raises(CheckpointError, match="is not the checkpoint"):
        Verifier(limit=10).verify(other)


def test_a_model_beside_a_foreign_manifest_is_opened_by_what_it_says_itself(
    trained_results: TrainedResults, tmp_path: Path
) -> None:
    artifact, path = read_artifact(trained_results.artifacts["onnx-fp32"])
    shutil.copy(path, tmp_path / "model.onnx")
    (tmp_path / "manifest.json").write_text('{"name": "a web app"}')
    opened = open_model(tmp_path / "model.onnx")
    assert (opened.variant, opened.dataset, opened.sha256) == ("onnx-fp32", None, artifact.sha256)
    assert open_model(path).dataset == artifact.dataset


def test_unknown_variant_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'coreml-w8'"):
        pipeline.export(tmp_path / "none.json", ["coreml-w9"], Workspace(tmp_path))


def _pickle(path: Path) -> Path:
    path.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00")
    return path


def _file(path: Path, content: bytes = b"") -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (lambda d: d / "none.onnx", ArtifactError, "no such model"),
        (lambda d: _file(d / "empty.onnx"), ArtifactError, "ONNX model"),
        (lambda d: _file(d / "text.onnx", b"hello, world"), ArtifactError, "ONNX model"),
        (lambda d: d, ArtifactError, "no exported model in this folder"),
        (lambda d: _file(d / "old.mlmodel", b"x"), ArtifactError, "neither a neural network nor a compiled model"),
        (lambda d: _file(d / "m.mlpackage", b"x"), ArtifactError, "Core ML"),
        (lambda d: _pickle(d / "weights.pt"), CheckpointError, "pickle"),
        (lambda d: _file(d / "a.json", b"{}"), ManifestError, "not a checkpoint"),
        (lambda d: _file(d / "photo.jpg", b"\xff\xd8"), CheckpointError, "not a checkpoint"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], kind: type[TinyMLError], message: str
) -> None:
    with pytest.raises(TinyMLError, match=message) as caught:
        open_model(make(tmp_path))
    assert isinstance(caught.value, kind)
    assert "\n" not in str(caught.value)
