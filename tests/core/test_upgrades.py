"""Files of older major versions, kept, and what they are read as."""

import json
from pathlib import Path

import pytest

from tinyml.errors import ManifestError
from tinyml.schema import SCHEMA_VERSION, Artifact, BenchRun, EvaluatedModel, Evaluations, Metrics, Provenance, Record
from tinyml.store import parse_json, read_json
from tinyml.upgrades import RENAMED, UPGRADES

FIXTURES = Path(__file__).parents[1] / "fixtures"
ROOT = Path(__file__).parents[2]

KEPT: list[tuple[Path, type[Record], str]] = [
    *((path, BenchRun, path.name) for path in sorted((FIXTURES / "results" / "v1").glob("*.json"))),
    *(
        (path, Artifact, f"{RENAMED.get(path.stem, path.stem)}.json")
        for path in sorted((FIXTURES / "artifacts" / "v1").glob("*.json"))
    ),
]


@pytest.mark.parametrize(
    ("path", "kind", "name"), KEPT, ids=[f"{path.parent.parent.name}-{path.stem}" for path, _, _ in KEPT]
)
def test_a_file_of_version_1_is_read_as_its_successor(path: Path, kind: type[Record], name: str) -> None:
    successor = path.parents[1] / "v2" / name
    assert json.loads(path.read_text())["schema_version"] == "1.0"
    assert json.loads(successor.read_text())["schema_version"] == SCHEMA_VERSION
    assert read_json(path, kind) == read_json(successor, kind)


def test_every_older_version_has_an_upgrade_and_a_kept_fixture() -> None:
    newest = int(SCHEMA_VERSION.partition(".")[0])
    assert sorted(UPGRADES) == list(range(1, newest))
    for major in UPGRADES:
        assert list((FIXTURES / "results" / f"v{major}").glob("*.json"))
        assert list((FIXTURES / "artifacts" / f"v{major}").glob("*.json"))


def test_the_app_reads_its_own_model() -> None:
    (manifest,) = (ROOT / "swift_demo" / "App" / "Models").glob("*/manifest.json")
    artifact = read_json(manifest, Artifact)
    assert manifest.parent.name == f"{artifact.spec.architecture}-{artifact.variant.name}"


def test_evaluations_of_version_1_name_their_variants_anew() -> None:
    metrics = Metrics(split="test", top1=0.5, top5=0.8, images=10, total=10)
    provenance = Provenance(created_at="2026-11-23T17:05:09Z", command="test", tool_version="0")
    rows = tuple(
        EvaluatedModel(
            variant=name, path="x", sha256="0" * 64, bytes=1, runtime="none", metrics=metrics, provenance=provenance
        )
        for name in ("checkpoint", "coreml-int8", "onnx-int8")
    )
    old = Evaluations(schema_version="1.0", model="vit", data="shapes", results=rows)
    new = parse_json(old.model_dump_json(), Evaluations, "x.json")
    assert [row.variant for row in new.results] == ["checkpoint", "coreml-w8", "onnx-w8a8"]


@pytest.mark.parametrize(
    "broken", [{"variant": None}, {"variant": []}, {"variant": {"compression": 1}}, {"variant": {}}]
)
def test_a_broken_file_of_version_1_is_refused_in_one_line(broken: dict[str, object]) -> None:
    text = (FIXTURES / "artifacts" / "v1" / "coreml-int8.json").read_text()
    with pytest.raises(ManifestError, match=r"^x\.json does not fit its schema: 'variant") as caught:
        parse_json(json.dumps({**json.loads(text), **broken}), Artifact, "x.json")
    assert "\n" not in str(caught.value)
