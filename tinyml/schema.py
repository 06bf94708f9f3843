"""Every type that crosses a stage or a language boundary.

Frozen, unknown keys refused, snake_case JSON. Units stand in the names (`_ns`, `_bytes`, `_s`); raw measurements are
integers. Imports neither torch nor coremltools. `SCHEMA_VERSION` stands in every file: a minor version adds optional
fields, a major one comes with an upgrade function in `tinyml.store` and a kept fixture.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = "1.0"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
PositiveInt = Annotated[int, Field(ge=1)]
RGB = tuple[float, float, float]
SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

IMAGE, PROBABILITIES, LABEL = "image", "probabilities", "classLabel"
"""The names of every exported model's input and outputs; the label is Core ML's alone."""


class Record(BaseModel):
    """The base of all: frozen, keyword-only, strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Provenance(Record):
    """Who made a file, when and with what."""

    created_at: Timestamp
    command: str
    tool_version: str
    packages: dict[str, str] = {}
    limit: PositiveInt | None = None
    """The `--limit` or similar cut that made this a first look rather than a full run; None: nothing was cut."""


# --- data -------------------------------------------------------------------------------------------------------------


class Preprocess(Record):
    """From an image file to a model's input; baked into every exported model from `mean` on.

    RGB, the shorter side resized to `resize` (antialiased bilinear, as Pillow's BILINEAR), the central
    `input_size` x `input_size` cropped; then `(value / 255 - mean) / std` per channel.
    """

    input_size: PositiveInt = 64
    resize: PositiveInt = 64
    crop: Literal["center"] = "center"
    interpolation: Literal["bilinear"] = "bilinear"
    channel_order: Literal["rgb"] = "rgb"
    mean: RGB = (0.485, 0.456, 0.406)
    std: RGB = (0.229, 0.224, 0.225)


class SplitInfo(Record):
    """One split of a prepared data set: a uint8 array [images, size, size, 3] and its class numbers."""

    images: Count
    sha256: Sha256
    labels: tuple[Count, ...]


class DatasetIndex(Record):
    """The index of a prepared data set; its `.npy` memory maps lie beside it."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["dataset"] = "dataset"
    name: str
    source: str
    class_ids: tuple[str, ...]
    labels: tuple[str, ...]
    """Readable and unique, in the order of `class_ids`."""
    preprocess: Preprocess
    split_rule: str
    seed: int
    splits: dict[SplitName, SplitInfo]
    skipped: tuple[str, ...] = ()
    fingerprint: Sha256 | None = None
    """Of the source folder's files (path, size, time), where the source is a folder of the user's that may change."""
    provenance: Provenance


# --- training ---------------------------------------------------------------------------------------------------------


class TrainConfig(Record):
    """Everything that decides a training run."""

    model: str
    recipe: str
    data: str
    epochs: PositiveInt = 50
    total_epochs: PositiveInt | None = None
    """The schedule's length where a run is trained in parts; None: `epochs`."""
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 128
    lr: Annotated[float, Field(gt=0)] = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "sgd"
    scheduler: Literal["cosine", "none"] = "cosine"
    warmup_epochs: Count = 0
    warmup_start_lr: Annotated[float, Field(ge=0)] = 0.0
    mixup_alpha: Annotated[float, Field(ge=0)] = 0.0
    cutmix_alpha: Annotated[float, Field(ge=0)] = 0.0
    mix_probability: Fraction = 1.0
    mix_off_epochs: Count = 0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    crop_padding: Count = 4
    flip: bool = True
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    color_jitter: Annotated[float, Field(ge=0, le=1)] = 0.2
    erasing: Fraction = 0.5
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """None: the architecture's own."""
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    ema_decay: Annotated[float, Field(ge=0, lt=1)] | None = None
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: Count = 0
    limit: PositiveInt | None = None
    """Images an epoch; None: all."""
    save_every: PositiveInt = 10


class EpochRecord(Record):
    """One row of a training history. Training accuracy under mixing means little and is None then."""

    epoch: PositiveInt
    lr: float
    train_loss: float
    train_accuracy: Fraction | None
    val_loss: float
    val_accuracy: Fraction
    seconds: float
    images_per_second: float


class MemoryPeak(Record):
    """Peak memory of a training run; the device's is absent on the CPU."""

    process_bytes: Count
    device_bytes: Count | None = None


class History(Record):
    """`history.json`: how a training run went."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["history"] = "history"
    config: TrainConfig
    device: str
    epochs: tuple[EpochRecord, ...]
    memory: MemoryPeak | None
    provenance: Provenance


class ModelSpec(Record):
    """What a network is, apart from its weights."""

    architecture: str
    parameters: PositiveInt
    labels: tuple[str, ...]
    preprocess: Preprocess

    @model_validator(mode="after")
    def _labels_are_unique(self) -> ModelSpec:
        # Core ML's dictionary output would silently merge equal labels.
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("labels must be unique")
        return self

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.labels)


class Metrics(Record):
    """Accuracy on one split; `images` says how many were looked at, `total` how many the split has."""

    split: SplitName
    top1: Fraction
    top5: Fraction
    images: PositiveInt
    total: PositiveInt
    loss: float | None = None


class Checkpoint(Record):
    """The manifest beside a `.safetensors` file of weights."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["checkpoint"] = "checkpoint"
    path: str
    """The weights' file name, in the manifest's own folder."""
    sha256: Sha256
    spec: ModelSpec
    config: TrainConfig
    dataset_sha256: Sha256
    """Of the data set's index file."""
    epoch: Count
    metrics: tuple[Metrics, ...]
    provenance: Provenance


# --- export -----------------------------------------------------------------------------------------------------------


class Compression(Record):
    """How weights (and, for `w8a8` and QDQ, activations) are made smaller."""

    method: Literal["none", "linear", "palette", "prune", "w8a8", "qdq"] = "none"
    bits: Annotated[int, Field(ge=1, le=8)] | None = None
    granularity: Literal["per_tensor", "per_channel", "per_block", "per_grouped_channel"] | None = None
    group_size: PositiveInt | None = None
    sparsity: Annotated[float, Field(gt=0, lt=1)] | None = None


class Floor(Record):
    """What an artifact must reach against its checkpoint to be exported at all."""

    top1_agreement: Fraction
    psnr_db: float
    max_accuracy_drop: Fraction
    """Top-1 of the checkpoint less that of the artifact."""


class Variant(Record):
    """One row of the export menu."""

    name: str
    format: Literal["coreml", "onnx", "coreai"]
    precision: Literal["fp32", "fp16"]
    compression: Compression = Compression()
    minimum_target: str | None = None
    """The deployment target as coremltools names it ("iOS16"); None where the format has none."""
    summary: str
    floor: Floor


class Tensor(Record):
    """One input or output of an artifact; a None dimension is flexible."""

    name: str
    kind: Literal["image", "tensor", "dictionary", "label"]
    shape: tuple[PositiveInt | None, ...]
    dtype: str


class Verification(Record):
    """An artifact, reloaded from disk and executed, against its checkpoint on real images."""

    runtime: str
    split: SplitName
    images: PositiveInt
    max_difference: float
    mean_difference: float
    """Of the probabilities."""
    psnr_db: float | None
    """Of the logits, peak = the checkpoint's largest absolute logit; None: no difference at all."""
    top1_agreement: Fraction
    top5_agreement: Fraction
    """How often the artifact's first class is among the checkpoint's five."""
    reference: Metrics
    artifact: Metrics
    floor: Floor
    failures: tuple[str, ...]
    """The figures that missed the floor, as sentences; empty: passed."""

    @property
    def passed(self) -> bool:
        """Whether every figure reached the floor."""
        return not self.failures


class Artifact(Record):
    """The manifest beside an exported model."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["artifact"] = "artifact"
    path: str
    """The file or folder name, in the manifest's own folder."""
    sha256: Sha256
    """Of a file, or of a folder's sorted (relative path, content sha256) pairs."""
    bytes: PositiveInt
    variant: Variant
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    spec: ModelSpec
    checkpoint_sha256: Sha256
    checkpoint_path: str
    data: str
    verification: Verification | None
    provenance: Provenance


class Golden(Record):
    """`golden.json`: an image, and what the artifact says of it, for whoever runs the package elsewhere."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["golden"] = "golden"
    artifact_sha256: Sha256
    image: str
    image_sha256: Sha256
    width: PositiveInt
    height: PositiveInt
    labels: tuple[str, ...]
    """The expected five first labels, best first (fewer where the model has fewer)."""
    probabilities: tuple[Fraction, ...]
    tolerance: float
    """The largest absolute difference of a probability that a right implementation shows."""
    runtime: str
    provenance: Provenance


# --- the app ----------------------------------------------------------------------------------------------------------


class CatalogueEntry(Record):
    """One model in the app's model folder."""

    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    """Beside the catalogue; holds the package, manifest.json, golden.json and the golden image."""
    artifact_sha256: Sha256


class AppCatalogue(Record):
    """`catalogue.json`: the models that lie in the app's model folder."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["app_catalogue"] = "app_catalogue"
    models: tuple[CatalogueEntry, ...]
    provenance: Provenance


class EvaluatedModel(Record):
    """The accuracy of one checkpoint or artifact."""

    variant: str
    """The variant's name, or "checkpoint" for the network as trained."""
    path: str
    sha256: Sha256
    bytes: PositiveInt
    runtime: str
    metrics: Metrics
    provenance: Provenance


class Evaluations(Record):
    """`test_results.json`: what was measured of one model, the newest measurement of each file."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["evaluations"] = "evaluations"
    model: str
    """The architecture."""
    data: str
    results: tuple[EvaluatedModel, ...]


# --- bench ------------------------------------------------------------------------------------------------------------

Status = Literal["ok", "unsupported", "failed", "not_run"]
Units = Literal["cpu_only", "cpu_and_gpu", "cpu_and_ne", "all", "cpu", "mps", "cuda", "coreml"]


class Environment(Record):
    """The machine and its software, as far as they decide a measurement."""

    machine: str
    """The hardware's model ("Mac15,3", "iPhone16,1") or the CPU's name."""
    os: Literal["linux", "macos", "ios", "windows"]
    os_version: str
    os_build: str | None = None
    cpu: str
    cores: PositiveInt
    memory_bytes: PositiveInt
    runtime: str
    """The language and its version ("python 3.11.7", "swift 6.3.1")."""
    packages: dict[str, str] = {}
    thermal_state: Literal["nominal", "fair", "serious", "critical"] | None = None
    low_power_mode: bool | None = None


class BenchCase(Record):
    """One thing to measure: an artifact on a backend with the compute units that it may use."""

    model: str
    """The architecture."""
    variant: str
    """The variant's name, or "checkpoint" for the network as trained."""
    format: Literal["torch", "coreml", "onnx", "coreai"]
    artifact_sha256: Sha256
    artifact_bytes: PositiveInt
    backend: str
    requested_units: Units
    """A permission, never a placement."""
    batch: PositiveInt = 1
    threads: PositiveInt | None = None
    """CPU threads that the backend was given; None: its own choice."""
    warmup: Count
    min_repeats: PositiveInt
    min_seconds: Annotated[float, Field(ge=0)]


class Series(Record):
    """Raw samples in the order they were taken; the unit stands at the end of the name."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+_(ns|bytes)$")]
    samples: Annotated[tuple[Count, ...], Field(min_length=1)]


class Placement(Record):
    """What Core ML's compute plan says of each op's preferred device; absent where nobody looked."""

    cpu: Count
    gpu: Count
    neural_engine: Count
    unknown: Count = 0


class BenchResult(Record):
    """What became of one case."""

    case: BenchCase
    status: Status
    reason: str | None = None
    """Why it is not `ok`; None exactly when it is."""
    series: tuple[Series, ...] = ()
    accuracy: Metrics | None = None
    placement: Placement | None = None
    flags: tuple[str, ...] = ()
    """What makes the measurement doubtful ("debug_build", "thermal_fair", "low_power_mode", "unsteady")."""

    @model_validator(mode="after")
    def _reason_exactly_when_not_ok(self) -> BenchResult:
        if (self.reason is None) != (self.status == "ok"):
            raise ValueError("a result has a reason exactly when its status is not 'ok'")
        if self.status in ("unsupported", "not_run") and self.series:
            raise ValueError(f"a result that is {self.status!r} has no series")
        return self


class BenchRun(Record):
    """One result file: an environment and every case asked for in it."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["bench_run"] = "bench_run"
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$")]
    quick: bool
    """A first look: fewer repeats and images than a measurement to rely on."""
    environment: Environment
    provenance: Provenance
    results: tuple[BenchResult, ...]
