"""What is exported: a checkpoint's network, with the images it is verified on and what it answers there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.accuracy import Images, subset
from tinyml.evaluation.checkpoint import CheckpointPredictor
from tinyml.heartbeat import beating
from tinyml.progress import Progress, Silent
from tinyml.schema import ActivationQuantization, DatasetIdentity, Variant
from tinyml.scratch import scratch_in, temporary_folder
from tinyml.trainer.checkpoint import load
from tinyml.trainer.data import reopen

from .compression import calibration_images, prepare
from .description import description_of
from .ends import ends_of, with_ends
from .format import Metadata, formats
from .source import Sources
from .verify import VERIFY_IMAGES, ask_checkpoint


class Original:
    """A checkpoint that was opened for export.

    Args:
        manifest: The checkpoint's manifest or weights.
        images: How many test images to verify on; None: all.
        data: As for `reopen`.
        calibration_images: How many training images to calibrate activations on; None: as many as the variant says.
        progress: Told of every step.

    Raises:
        CheckpointError, ManifestError: The checkpoint cannot be loaded.
        DataError: The data set it was trained on is not there, has changed, or has other classes by now.
    """

    def __init__(
        self,
        manifest: Path,
        *,
        images: int | None = VERIFY_IMAGES,
        data: str | None = None,
        calibration_images: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._images, self._data, self._calibration_images = images, data, calibration_images
        self.progress = progress = progress or Silent()
        self.loaded = load(manifest)
        self.checkpoint, self.manifest = self.loaded.checkpoint, self.loaded.manifest
        self.network, self.spec = self.loaded.model, self.checkpoint.spec
        self.sources = Sources(self.network, self.spec)
        self.dataset = reopen(self.checkpoint.config.data, self.checkpoint.dataset, data, progress=progress)
        self.answers = ask_checkpoint(CheckpointPredictor(self.loaded), self.dataset, limit=images, progress=progress)

    def again(self, manifest: Path) -> Original:
        """Another checkpoint, opened as this one was."""
        return Original(
            manifest,
            images=self._images,
            data=self._data,
            calibration_images=self._calibration_images,
            progress=self.progress,
        )

    @property
    def limit(self) -> int | None:
        """How many images it is verified on, where that is fewer than usual."""
        return self._images if self._images is not None and self._images < VERIFY_IMAGES else None

    def settled(self, variant: Variant) -> Variant:
        """`variant` with what this network has at its ends, and saying how many images it is really calibrated on."""
        variant = with_ends(variant, ends_of(self.network))
        most = max(1, len(self.dataset.split("train")))
        kinds = [
            kind.model_copy(update={"images": min(self._calibration_images or kind.images, most)})
            if isinstance(kind, ActivationQuantization)
            else kind
            for kind in variant.compression
        ]
        return variant.model_copy(update={"compression": tuple(kinds)})

    @property
    def verified_on(self) -> tuple[str, DatasetIdentity | None]:
        """The data set that it is verified on: the words that open it, and which images it has."""
        if self._data is None:
            return self.checkpoint.config.data, self.checkpoint.dataset
        return self._data, self.dataset.identity

    def described(self, variant: Variant) -> Metadata:
        """What an artifact of `variant` says of itself."""
        return description_of(self.checkpoint, self.answers, variant)

    def training_images(self, count: int) -> Images:
        """At most so many images of "train", as many of each class as can be, in their order: (N, H, W, 3) uint8."""
        train = self.dataset.split("train")
        count = min(count, len(train))
        chosen = np.sort(subset(len(train), count, train.labels)[:count])
        return np.asarray(train.images[chosen])

    def calibration(self, variant: Variant) -> Images:
        """The training images that `variant` is calibrated on."""
        return self.training_images(calibration_images(variant))

    def convert(self, variant: Variant, path: Path) -> None:
        """Writes the network as `variant` to `path`, not proven yet."""
        calibration = self.calibration(variant)
        network = prepare(self.network, variant, calibration)
        formats.get(variant.format).write(network, variant, self.described(variant), calibration, path)

    def rounded(self, variant: Variant) -> dict[str, NDArray[np.float32]]:
        """The weights of `variant` that its layers multiply with, by layer."""
        format_ = formats.get(variant.format)
        with temporary_folder("rounded") as folder, scratch_in(folder):
            with beating(self.progress, f"{variant.name}: rounding what the training begins with"):
                self.convert(variant, path := folder / f"rounded{format_.suffix}")
            return {weight.layer: values for weight, values in format_.held_weights(path) if weight.multiplied}
