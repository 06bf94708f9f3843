"""A training: what decides it, and how it went."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import SCHEMA_VERSION, Count, Fraction, PositiveInt, Provenance, Record, Seed, Sha256, written_as


class Budget(Record):
    """The wall time that a training may take, and how its plan deals it out; the schedule follows the clock."""

    seconds: Annotated[float, Field(gt=0)]
    """From the beginning of the command to its end, without the preparation of the data."""
    phase_seconds: tuple[Annotated[float, Field(gt=0)], ...]
    """Planned for each size of the images, by the speeds measured at the start; their proportions count."""
    finish_seconds: Annotated[float, Field(ge=0)]
    """Kept for the last validation and save."""
    planning_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Gone before the first step: the schedule begins after them."""


class Origin(Record):
    """A file or folder that a training takes something from, as it was then."""

    path: str
    """As it was named: below the folder the training began in, or absolute."""
    sha256: Sha256


class TrainConfig(Record):
    """Everything that decides a training run."""

    model: str
    recipe: str
    data: str
    epochs: PositiveInt = 50
    total_epochs: PositiveInt | None = None
    """The schedule's length where a run is trained in parts; None: `epochs`."""
    budget: Budget | None = None
    """Ends the training by the clock; `epochs` is then what was planned, and lengths in epochs are shares of it."""
    resolution: Annotated[str, written_as(r"^[1-9]\d{0,3}(:[1-9]\d{0,3})*$", "sizes such as 32:48:64")] | None = None
    """The sizes of the training images, one after the other: "32:48:64"; None: the data set's own throughout."""
    full_size_share: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Of the epochs, at the last of several sizes; the others share the rest evenly."""
    batch_size: Annotated[int, Field(ge=1, le=65536)] = 128
    lr: Annotated[float, Field(gt=0)] = 0.1
    weight_decay: Annotated[float, Field(ge=0)] = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    optimizer: str = "sgd"
    scheduler: str = "cosine"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0
    warmup_start_lr: Annotated[float, Field(ge=0)] = 0.0
    mixup_alpha: Annotated[float, Field(ge=0)] = 0.0
    cutmix_alpha: Annotated[float, Field(ge=0)] = 0.0
    mix_probability: Fraction = 1.0
    mix_off_epochs: Annotated[float, Field(ge=0)] = 0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    crop_padding: Count = 4
    flip: bool = True
    alternate_flip: bool = False
    """Each image is mirrored in every second epoch, rather than at random."""
    rotation_degrees: Annotated[float, Field(ge=0, le=180)] = 10.0
    color_jitter: Annotated[float, Field(ge=0, le=1)] = 0.2
    policy: str | None = None
    """An augmentation policy beside the rest: "trivial" or "rand"; None: none."""
    erasing: Fraction = 0.5
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """None: the architecture's own."""
    drop_path: Annotated[float, Field(ge=0, lt=1)] = 0.0
    clip_norm: Annotated[float, Field(gt=0)] | None = None
    ema_decay: Annotated[float, Field(ge=0, lt=1)] | None = None
    accumulate: PositiveInt = 1
    """In how many parts, one after the other, each batch is computed: less memory, the same batch."""
    compiled: bool = False
    """Whether `torch.compile` compiles the network."""
    recompute: bool | None = None
    """Whether activations are computed again in the backward pass instead of kept, where a network can; None: yes."""
    init: Origin | None = None
    """Whose weights the network begins with, as far as they fit; None: fresh ones."""
    whiten: bool = False
    """Whether the first convolution begins with filters that whiten patches of the training images."""
    freeze: tuple[str, ...] = ()
    """Layers or parameters by name, with all below them, that are not trained."""
    teacher: Origin | None = None
    """Whose answers are learned beside the labels; None: nobody's."""
    distill_share: Fraction = 0.9
    """Of the divergence from the teacher in the loss; the rest is the loss without a teacher."""
    distill_temperature: Annotated[float, Field(gt=0)] = 4.0
    """By which the logits of both are divided in that divergence."""
    class_weights: Literal["none", "balanced"] = "none"
    """"balanced": an image counts in the loss in inverse proportion to how often its class is seen."""
    shots: PositiveInt | None = None
    """Training images of each class, drawn by the seed; None: all."""
    patience: PositiveInt | None = None
    """Ends the training after so many epochs without a better validation accuracy; None: never."""
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"
    seed: Seed = 0
    limit: PositiveInt | None = None
    """Images an epoch; None: all."""
    validate_images: PositiveInt | None = None
    """Images of a validation, dealt evenly over the classes; None: all."""
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
    """The validation included."""
    images_per_second: float
    """Without the validation."""
    images_by_size: dict[PositiveInt, PositiveInt] | None = None
    """How many images were shown in which size, the height in pixels; None: trained before that was kept."""


class LrPoint(Record):
    """One step of a learning-rate range test; the loss before the update at that rate."""

    lr: float
    loss: float
    smoothed_loss: float


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
    """Its kind and, since version 2.1, its name: "cpu (AMD EPYC, 1 thread)"."""
    epochs: tuple[EpochRecord, ...]
    memory: MemoryPeak | None
    processes: PositiveInt = 1
    """That computed parts of each batch."""
    provenance: Provenance


class LrRange(Record):
    """`lr-range/<recipe>-N.json`: the loss while the learning rate grew."""

    schema_version: str = SCHEMA_VERSION
    kind: Literal["lr_range"] = "lr_range"
    config: TrainConfig
    device: str
    points: tuple[LrPoint, ...]
    suggested_lr: float | None
    """Where the smoothed loss falls fastest; None: it never falls."""
    provenance: Provenance
