"""A teacher's answers, asked once and stored: where every image is shown as it is or mirrored, and nothing else.

Two views an image, in float16, beside the prepared data sets; a training that is resumed or repeated finds them there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.format import open_memmap
from torch import Tensor

from tinyml.full_disk import full_disk_told
from tinyml.progress import Progress, Silent
from tinyml.schema import TrainConfig
from tinyml.store import atomic_file
from tinyml.workspace import cache_dir

from .architecture import INPUT_SIZE
from .data import Dataset
from .data.room import ELSEWHERE
from .distill import Teacher
from .predictor import network_input
from .resolution import sizes

BATCH = 128
VIEWS = 2


def storable(config: TrainConfig) -> bool:
    """Whether a training by `config` shows its teacher the same two views of each image over and over."""
    still = not (config.crop_padding or config.rotation_degrees or config.color_jitter or config.erasing)
    mixed = config.mix_probability > 0 and (config.mixup_alpha > 0 or config.cutmix_alpha > 0)
    return (
        config.teacher is not None
        and still
        and config.policy is None
        and not mixed
        and sizes(config) == (INPUT_SIZE,)
        and config.limit is None
        and config.shots is None
        and config.epochs > VIEWS
    )


class StoredAnswers:
    """Logits float16 [2, images, classes], mapped from disk: of each image as it is, and mirrored."""

    def __init__(self, path: Path) -> None:
        self._logits: npt.NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)

    def of(self, images: npt.NDArray[np.int64], mirrored: Tensor) -> Tensor:
        """See Answers."""
        return torch.from_numpy(self._logits[mirrored.long().numpy(), images].astype(np.float32))


def stored_answers(
    teacher: Teacher, config: TrainConfig, dataset: Dataset, device: torch.device, progress: Progress = Silent()
) -> StoredAnswers:
    """What `teacher` says of the training split, asked now unless that is stored.

    Raises:
        FullDiskError: No room for it.
    """
    if config.teacher is None:
        raise ValueError("the configuration names no teacher")
    split, preprocess = dataset.split("train"), dataset.index.preprocess
    path = cache_dir() / "teachers" / f"{config.teacher.sha256[:16]}-{dataset.sha256[:16]}.npy"
    shape = (VIEWS, len(split), len(dataset.index.labels))
    if not path.is_file():
        with full_disk_told(path, elsewhere=ELSEWHERE), atomic_file(path) as temporary:
            logits = open_memmap(temporary, mode="w+", dtype=np.float16, shape=shape)  # type: ignore[no-untyped-call]
            progress.start("asking the teacher", VIEWS * len(split), "images")
            for start in range(0, len(split), BATCH):
                images = network_input(split.images[start : start + BATCH], preprocess, device)
                for view, shown in enumerate((images, images.flip(3))):
                    logits[view, start : start + BATCH] = teacher(shown).cpu().numpy()
                    progress.advance(len(images))
            progress.finish()
            logits.flush()
    progress.say(f"the teacher's answers to {VIEWS} views of each image are stored in {path}")
    return StoredAnswers(path)
