"""Every type that crosses a stage or a language boundary.

Frozen, unknown keys refused, snake_case JSON. Units stand in the names (`_ns`, `_bytes`, `_s`); raw measurements are
integers. Imports neither torch nor coremltools. `SCHEMA_VERSION` stands in every file: a minor version adds optional
fields, a major one comes with an upgrade function in `tinyml.store` and a kept fixture.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

SCHEMA_VERSION = "2.1"


def _a_real_moment(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Timestamp = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"), AfterValidator(_a_real_moment)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0)]
PositiveInt = Annotated[int, Field(ge=1)]
RGB = tuple[float, float, float]
SplitName = Literal["train", "val", "test"]
SPLITS: tuple[SplitName, ...] = get_args(SplitName)

IMAGE, PROBABILITIES, LABEL = "image", "probabilities", "classLabel"
"""The names of every exported model's input and outputs; the label is Core ML's alone."""

_ROUNDED = 0.5e-4
"""How far a share may lie from the counts that it was made of: a file written elsewhere may hold four digits."""


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
    content_sha256: Sha256 | None = None
    """Of the images' files and classes, whatever they are called and whoever decodes them: sorted lines of class and
    SHA-256 of the file. None: prepared before this was kept."""
    paths: tuple[str, ...] = ()
    """Of the images' files below the source, in the array's order; empty: prepared before this was kept."""

    @model_validator(mode="after")
    def _one_class_an_image(self) -> Self:
        if len(self.labels) != self.images or len(self.paths) not in (0, self.images):
            raise ValueError(f"there are {self.images} images, {len(self.labels)} classes and {len(self.paths)} paths")
        return self


class LeftOut(Record):
    """Files of one kind that lay in a source and were not taken."""

    what: str
    """".HEIC", "hidden", "dangling link"."""
    files: PositiveInt
    first: str
    """Where the first of them lies."""
    hint: str | None = None
    """What would let them be read."""


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
    left_out: tuple[LeftOut, ...] = ()
    data: str | None = None
    """The words that open it from anywhere: a name, or an absolute path; None: prepared before this was kept."""
    provenance: Provenance


class SplitIdentity(Record):
    """What makes a split that split; see `SplitInfo`."""

    images: Count
    content_sha256: Sha256


class DatasetIdentity(Record):
    """Which images a network was trained and tested on, kept with it, so that others are never taken for them."""

    data: str
    """The words that open it from anywhere: a name, or an absolute path."""
    splits: dict[Literal["train", "val", "test"], SplitIdentity]


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
    optimizer: str = "sgd"
    scheduler: str = "cosine"
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
    top5: Fraction | None
    """None: of five classes or fewer it is 1 and says nothing."""
    images: PositiveInt
    total: PositiveInt
    loss: float | None = None

    @model_validator(mode="after")
    def _the_counts_fit(self) -> Self:
        if self.images > self.total:
            raise ValueError(f"{self.images} images were looked at, more than the {self.total} that the split has")
        if self.top5 is not None and self.top1 > self.top5:
            raise ValueError(f"top-1 accuracy {self.top1} is above top-5 accuracy {self.top5}")
        for share in (self.top1, self.top5):
            if share is not None and abs(share * self.images - round(share * self.images)) > _ROUNDED * self.images:
                raise ValueError(f"an accuracy of {share} is no whole number of {self.images} images")
        return self


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
    dataset: DatasetIdentity | None = None
    """None: made before this was kept."""
    epoch: Count
    metrics: tuple[Metrics, ...]
    provenance: Provenance


# --- export -----------------------------------------------------------------------------------------------------------


class LinearSettings(Record):
    """How one layer's weights are quantized linearly: `weight = scale * (integer - offset)`."""

    bits: Literal[4, 8]
    symmetric: bool = True
    """Whether the offset is 0 and the integers are signed; else they are unsigned, with an offset a scale."""
    granularity: Literal["per_tensor", "per_channel", "per_block"] = "per_channel"
    """What shares a scale: all weights, an output channel, or `block_size` input channels of an output channel."""
    block_size: PositiveInt | None = None
    """Input channels a block, exactly for "per_block"; a layer that it does not divide takes the nearest that does."""

    @model_validator(mode="after")
    def _a_block_size_exactly_for_blocks(self) -> Self:
        if (self.block_size is not None) != (self.granularity == "per_block"):
            raise ValueError("block_size belongs to the granularity 'per_block', and that needs one")
        return self


class PaletteSettings(Record):
    """How one layer's weights are palettized: each is an index into a table of 2^bits values found by k-means."""

    bits: Literal[1, 2, 3, 4, 6, 8]
    granularity: Literal["per_tensor", "per_grouped_channel"] = "per_tensor"
    """What shares a palette: all weights, or `group_size` output channels."""
    group_size: PositiveInt | None = None
    """Output channels a group, exactly for "per_grouped_channel"; the nearest that divides a layer is taken there."""
    per_channel_scale: bool = False
    """Whether every output channel is divided by its largest weight before, and its output multiplied again."""

    @model_validator(mode="after")
    def _a_group_size_exactly_for_groups(self) -> Self:
        if (self.group_size is not None) != (self.granularity == "per_grouped_channel"):
            raise ValueError("group_size belongs to the granularity 'per_grouped_channel', and that needs one")
        return self


class SparsityPattern(Record):
    """N:M sparsity: of every `of` neighboring input channels the `zeros` smallest weights are zero."""

    zeros: PositiveInt
    of: PositiveInt

    @model_validator(mode="after")
    def _some_remain(self) -> Self:
        if self.zeros >= self.of:
            raise ValueError("zeros must be fewer than 'of'")
        return self


class PruneSettings(Record):
    """How one layer's smallest weights are set to zero: a share of all, or a pattern; exactly one of the two."""

    sparsity: Annotated[float, Field(gt=0, lt=1)] | None = None
    pattern: SparsityPattern | None = None

    @model_validator(mode="after")
    def _a_share_or_a_pattern(self) -> Self:
        if (self.sparsity is None) == (self.pattern is None):
            raise ValueError("pruning has either a sparsity or a pattern")
        return self


class LinearQuantization(LinearSettings):
    """Integer weights."""

    method: Literal["linear"] = "linear"
    overrides: dict[str, LinearSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class Palettization(PaletteSettings):
    """Weights as indices into palettes."""

    method: Literal["palette"] = "palette"
    overrides: dict[str, PaletteSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class Pruning(PruneSettings):
    """Sparse weights. What follows it in a variant compresses the weights that remain."""

    method: Literal["prune"] = "prune"
    overrides: dict[str, PruneSettings | None] = {}
    """By layer, what holds there instead; None: the layer is left as it is."""


class ActivationQuantization(Record):
    """Integer activations with one scale a tensor, its range observed on images of the training split."""

    method: Literal["activations"] = "activations"
    bits: Literal[8] = 8
    symmetric: bool = False
    percentile: Annotated[float, Field(gt=0, le=100)] = 100.0
    """Of the absolute values seen; below 100 it cuts rare outliers, which would widen the step for all others."""
    images: PositiveInt = 256
    """How many calibration images; ranges hardly change beyond a few hundred."""
    overrides: dict[str, None] = {}
    """The layers whose inputs and outputs stay in float."""


Compression = Annotated[
    LinearQuantization | Palettization | Pruning | ActivationQuantization, Field(discriminator="method")
]
"""One kind of compression with all of its settings."""


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
    compression: tuple[Compression, ...] = ()
    """In the order in which they are applied; several on the same weights are joint compression."""
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
    max_difference: Annotated[float, Field(ge=0)]
    mean_difference: Annotated[float, Field(ge=0)]
    """Of the probabilities."""
    psnr_db: float | None
    """Of the logits, peak = the checkpoint's largest absolute logit; None: no difference at all."""
    top1_agreement: Fraction
    top5_agreement: Fraction | None
    """How often the artifact's first class is among the checkpoint's five; None: with five classes or fewer."""
    reference: Metrics
    artifact: Metrics
    floor: Floor
    failures: tuple[str, ...]
    """The figures that missed the floor, as sentences; empty: passed."""

    @model_validator(mode="after")
    def _both_sides_saw_the_same_images(self) -> Self:
        if {(m.split, m.images, m.total) for m in (self.reference, self.artifact)} != {
            (self.split, self.images, self.reference.total)
        }:
            raise ValueError("the checkpoint and the artifact were not measured on the images that were compared")
        if self.mean_difference > self.max_difference:
            raise ValueError("the mean difference is above the largest")
        if self.top5_agreement is not None and self.top1_agreement > self.top5_agreement:
            raise ValueError("agreement on the first class is above agreement among the five first")
        return self

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
    dataset: DatasetIdentity | None = None
    """As in the checkpoint."""
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
    tolerance: Annotated[float, Field(ge=0)]
    """The largest absolute difference of a probability that a right implementation shows."""
    runtime: str
    provenance: Provenance

    @model_validator(mode="after")
    def _one_ranking(self) -> Self:
        if not 1 <= len(self.labels) == len(self.probabilities) or len(set(self.labels)) != len(self.labels):
            raise ValueError("there is one probability for each of one or more different labels")
        if list(self.probabilities) != sorted(self.probabilities, reverse=True):
            raise ValueError("the labels are not ranked: a probability is above the one before it")
        return self


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
    samples: Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
    """Above 0: what takes no time and no memory was not measured."""


class Placement(Record):
    """What Core ML's compute plan says of each op's preferred device; absent where nobody looked."""

    cpu: Count
    gpu: Count
    neural_engine: Count
    unknown: Count = 0

    @model_validator(mode="after")
    def _of_some_op(self) -> Self:
        if not self.cpu + self.gpu + self.neural_engine + self.unknown:
            raise ValueError("a placement is of at least one op")
        return self


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
        if self.status in ("unsupported", "not_run") and (self.series or self.accuracy or self.placement):
            raise ValueError(f"a result that is {self.status!r} has no series, no accuracy and no placement")
        return self

    @model_validator(mode="after")
    def _the_samples_fit(self) -> Self:
        found = {series.name: series.samples for series in self.series}
        if len(found) < len(self.series):
            raise ValueError("two series have the same name")
        peak, baseline = found.get("peak_memory_bytes"), found.get("baseline_memory_bytes")
        if peak and baseline and max(peak) < min(baseline):
            raise ValueError("the peak of the memory is below what it was before the model was loaded")
        if self.status == "ok" and 0 < len(found.get("latency_ns", ())) < self.case.min_repeats:
            raise ValueError(f"fewer latencies than the case asks for, {self.case.min_repeats}")
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

    @model_validator(mode="after")
    def _each_case_once(self) -> Self:
        cases = [result.case for result in self.results]
        same = Counter(
            (c.model, c.variant, c.artifact_sha256, c.backend, c.requested_units, c.batch, c.threads) for c in cases
        )
        for (model, variant, _, backend, units, *_), times in same.items():
            if times > 1:
                raise ValueError(f"{model} {variant} on {backend} {units} was measured {times} times in one run")
        return self
