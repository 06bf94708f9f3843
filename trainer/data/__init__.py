"""Data sets: preparation, the memory-mapped splits, augmentation and batches.

A prepared data set is a folder: `index.json` (a `DatasetIndex`) beside one uint8 array a split, `train.npy`,
`val.npy`, `test.npy`, each [images, size, size, 3] in RGB. `open_dataset` prepares it where it lacks;
`reopen` opens the one that a checkpoint was trained on, and no other.
"""

from tinyml.schema import SplitName

from .batch import Batch
from .batches import Answers, TrainBatches, eval_batches, images_an_epoch, steps_an_epoch
from .dataset import Dataset, Split
from .images import load_image
from .preparing import open_dataset
from .reopening import check_classes, reopen
from .shots import trained_images, trained_labels

__all__ = [
    "Answers",
    "Batch",
    "Dataset",
    "Split",
    "SplitName",
    "TrainBatches",
    "check_classes",
    "eval_batches",
    "images_an_epoch",
    "load_image",
    "open_dataset",
    "reopen",
    "steps_an_epoch",
    "trained_images",
    "trained_labels",
]
