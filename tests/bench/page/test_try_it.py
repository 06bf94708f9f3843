"""Models run in the page: everything but onnxruntime-web itself, for which a stand-in with its contract runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from tinyml.bench.page.in_page import MODULE, WASM, checked_runtime
from tinyml.bench.page.project import read
from tinyml.bench.page.render import html
from tinyml.errors import BenchError
from tinyml.quiet import coremltools, quiet
from tinyml.schema import Artifact, Preprocess
from tinyml.store import file_sha256, read_json, size_bytes, write_json
from tinyml.trainer.data.images import load_image

from .browser import Opened, opened

LABELS = ("red", "green", "</script><b>blue")
PREPROCESS = Preprocess(input_size=48, resize=56)
ARTIFACTS = Path(__file__).parents[2] / "fixtures" / "artifacts" / "v2"


def graph(path: Path) -> None:
    """The mean of each channel, as probabilities."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Softmax", ["flat"], ["probabilities"]),
    ]
    size = PREPROCESS.input_size
    ends = [
        helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, size, size]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3]),
    ]
    made = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:]), opset_imports=[helper.make_opsetid("", 17)]
    )
    made.ir_version = 8
    onnx.save(made, path)


def package(path: Path) -> None:
    ct = coremltools()
    from coremltools.converters.mil import Builder as mb  # noqa: N813  coremltools' own name for it

    shape = (1, 3, PREPROCESS.input_size, PREPROCESS.input_size)

    @mb.program(input_specs=[mb.TensorSpec(shape=shape)])
    def program(image: Any) -> Any:
        return mb.softmax(x=mb.reduce_mean(x=image, axes=[2, 3]), axis=1, name="class_probabilities")

    with quiet():
        made = ct.convert(
            program,
            convert_to="mlprogram",
            inputs=[ct.ImageType(name="image", shape=shape, color_layout=ct.colorlayout.RGB)],
            classifier_config=ct.ClassifierConfig(list(LABELS), predicted_feature_name="classLabel"),
            skip_model_load=True,
        )
        made.save(str(path))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Path:
    root = tmp_path_factory.mktemp("project") / "results"
    for name, make in (("onnx-w8a8", graph), ("coreml-fp16", package)):
        artifact = read_json(ARTIFACTS / f"{name}.json", Artifact)
        folder = root / "tiny" / "exports" / name
        folder.mkdir(parents=True)
        make(folder / artifact.path)
        spec = artifact.spec.model_copy(update={"architecture": "tiny", "labels": LABELS, "preprocess": PREPROCESS})
        content = folder / artifact.path
        update = {"spec": spec, "sha256": file_sha256(content), "bytes": size_bytes(content)}
        write_json(folder / "manifest.json", artifact.model_copy(update=update))
    return root


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    shutil.copy(Path(__file__).with_name("stand_in.mjs"), folder / MODULE)
    (folder / WASM).write_bytes(b"\0asm stand-in")
    return folder


@pytest.fixture
def shown(browser: Any, project: Path, runtime: Path) -> Any:
    found = opened(browser, project.parent / "try.html", html(read(project, web_runtime=runtime)))
    yield found
    assert found.problems == []
    found.page.close()


def run(shown: Opened, image: Path, variant: str) -> list[str]:
    shown.page.locator("#try-model").select_option(label=f"tiny {variant}")
    shown.page.locator("#try-file").set_input_files(image)
    shown.page.wait_for_function(
        """([variant, name]) => { const text = document.getElementById("try-status").textContent;
        return text.startsWith("Not run") || text.startsWith(`tiny ${variant} says of ${name}`); }""",
        arg=[variant, image.name],
    )
    return list(shown.page.locator("#try-labels li").all_text_contents())


@pytest.mark.parametrize("variant", ["onnx-w8a8", "coreml-fp16"])
def test_an_image_gets_the_labels_of_the_chosen_file(shown: Opened, tmp_path: Path, variant: str) -> None:
    Image.new("RGB", (80, 60), (20, 0, 180)).save(tmp_path / "blue.png")
    assert run(shown, tmp_path / "blue.png", variant) == [
        "</script><b>blue 90.0 %",
        "red 10.0 %",
        "green 0.0 %",
    ]
    assert "onnxruntime-web 0.0.0-stand-in" in shown.page.locator("#try-status").inner_text()
    assert shown.page.locator("#try-seen").is_visible()


def pictures(folder: Path) -> list[Path]:
    """Larger, smaller, wide, tall, of odd sizes, gray, with transparency, on their side, as JPEG."""
    rng = np.random.default_rng(0)
    found = []
    for name, size, mode in (
        ("larger", (161, 123), "RGB"),
        ("smaller", (31, 40), "RGB"),
        ("wide", (400, 57), "RGB"),
        ("as-it-is", (56, 63), "RGB"),
        ("gray", (90, 71), "L"),
        ("clear", (77, 77), "RGBA"),
    ):
        channels = {"RGB": (3,), "L": (), "RGBA": (4,)}[mode]
        pixels = rng.integers(0, 256, (size[1], size[0], *channels), dtype=np.uint8)
        Image.fromarray(pixels, mode).save(folder / f"{name}.png")
        found.append(folder / f"{name}.png")
    smooth = np.linspace(0, 255, 120 * 90 * 3).reshape(90, 120, 3).astype(np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(smooth).save(folder / "turned.jpg", quality=95, subsampling=0, exif=turned)
    return [*found, folder / "turned.jpg"]


def test_the_page_prepares_an_image_as_python_does(shown: Opened, tmp_path: Path) -> None:
    for image in pictures(tmp_path):
        run(shown, image, "onnx-w8a8")
        fed = shown.page.evaluate("globalThis.fed")
        assert fed["dims"] == [1, 3, 48, 48]
        found = np.array(fed["data"]).reshape(3, 48, 48).transpose(1, 2, 0)
        expected = load_image(image, PREPROCESS).astype(float)
        # Decoders and the blending of transparency may round the other way; no more than that.
        assert np.abs(found - expected).max() <= 1, image.name


def test_what_is_no_image_is_said_to_be_none(shown: Opened, tmp_path: Path) -> None:
    (tmp_path / "words.png").write_text("no picture")
    assert run(shown, tmp_path / "words.png", "onnx-w8a8") == []
    assert shown.page.locator("#try-status").inner_text().startswith("Not run: ")


def test_without_the_runtime_a_sentence_says_so(project: Path) -> None:
    page = html(read(project))
    assert "Skipped: this page was made without onnxruntime-web;" in page
    assert "wasm-unsafe-eval" not in page


def test_a_folder_without_its_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / MODULE).write_text("")
    with pytest.raises(BenchError, match=rf"lacks files of onnxruntime-web.*no {WASM}"):
        checked_runtime(tmp_path)


def test_a_model_that_cannot_run_there_is_named(project: Path, runtime: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "results")
    (tmp_path / "results" / "tiny" / "exports" / "onnx-w8a8" / "model.onnx").unlink(missing_ok=True)
    for file in (tmp_path / "results").rglob("*.onnx"):
        file.unlink()
    page = html(read(tmp_path / "results", web_runtime=runtime))
    assert "tiny onnx-w8a8 is not among them: the exported model is missing" in page
