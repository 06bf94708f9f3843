"""The option that somebody meant: by what it does where other tools call it otherwise, else by its letters.

Letters alone mislead: of all options `--crop-padding` looks most like `--early-stopping`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

CLOSE = 0.75
"""How alike two words must be (difflib's ratio) for one to be a slip of the other."""

CALLED_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "--accelerator": ("--device",),
    "--aug": ("--recipe",),
    "--backends": ("--backend",),
    "--batch": ("--batch-size",),
    "--bits": ("--quantize",),
    "--checkpoint-dir": ("--results",),
    "--class-weight": ("--class-weights",),
    "--ckpt": ("--checkpoint", "--resume-from"),
    "--classes": ("--data",),
    "--compression": ("--quantize", "--variant"),
    "--config": ("--recipe",),
    "--continue": ("--resume",),
    "--cpu": ("--device",),
    "--dataset": ("--data",),
    "--dataset-path": ("--data",),
    "--decay": ("--weight-decay",),
    "--dir": ("--data", "--results"),
    "--directory": ("--data", "--results"),
    "--dtype": ("--precision",),
    "--early-stopping": ("--patience",),
    "--ema": ("--ema-decay",),
    "--few-shot": ("--shots",),
    "--folder": ("--data",),
    "--fp16": ("--precision",),
    "--gpu": ("--device",),
    "--grad-clip": ("--clip-norm",),
    "--gradient-clipping": ("--clip-norm",),
    "--input": ("--data",),
    "--initial-checkpoint": ("--init",),
    "--int4": ("--quantize",),
    "--int8": ("--quantize",),
    "--iterations": ("--repeats", "--epochs"),
    "--learning-rate": ("--lr",),
    "--max-epochs": ("--epochs",),
    "--max-images": ("--limit", "--images"),
    "--mixed-precision": ("--precision",),
    "--num-epochs": ("--epochs",),
    "--num-images": ("--images", "--limit"),
    "--opt": ("--optimizer",),
    "--out": ("--output", "--results"),
    "--output-dir": ("--results", "--output"),
    "--path": ("--data",),
    "--pretrained": ("--init",),
    "--quantization": ("--quantize",),
    "--random-seed": ("--seed",),
    "--runs": ("--repeats",),
    "--samples": ("--images", "--limit"),
    "--save-dir": ("--results",),
    "--subset": ("--limit",),
    "--train-dir": ("--data",),
    "--warmup": ("--warmup-epochs",),
    "--wd": ("--weight-decay",),
    "--weights": ("--checkpoint", "--init"),
}
"""What an option is called by other tools, and here, the likeliest first."""

STANDS_ALONE = ("--artifact", "--checkpoint", "--ckpt", "--image", "--images", "--model", "--package", "--weights")
"""What other tools, and some verbs here, take by an option, and other verbs as their argument."""


def nearest_option(given: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `given` stands for; None where no option does what it may mean."""
    options = sorted(set(known))
    meant = next((name for name in CALLED_ELSEWHERE.get(given.lower(), ()) if name in options), None)
    if meant is not None:
        return meant
    slips = difflib.get_close_matches(given.lower(), options, n=1, cutoff=CLOSE)
    if slips:
        return slips[0]
    # A part of a name that only one option has: `--smoothing` of `--label-smoothing`.
    words = set(_words(given))
    sharing = [name for name in options if words and (words <= set(_words(name)) or set(_words(name)) <= words)]
    return sharing[0] if len(sharing) == 1 else None


def _words(option: str) -> list[str]:
    return [word for word in option.lower().lstrip("-").split("-") if word]
