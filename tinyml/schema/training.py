"""A training: what decides it, and how it went."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .base import SCHEMA_VERSION, Count, Fraction, PositiveInt, Provenance, Record


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
