"""Images corrupted as in Hendrycks and Dietterich, "Benchmarking Neural Network Robustness", ICLR 2019.

The corruptions themselves are those of the package imagecorruptions-imaug, which goes down to 32 pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyml.accuracy import Images
from tinyml.errors import UnavailableError

SEVERITIES = (1, 2, 3, 4, 5)
SMALLEST = 32
SEEDED = ("impulse_noise", "glass_blur")
"""Those that draw from a generator of their own."""
CORRUPTIONS = (
    "gaussian_noise", "shot_noise", "impulse_noise", "defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "snow",
    "frost", "fog", "brightness", "contrast", "elastic_transform", "pixelate", "jpeg_compression",
)  # fmt: skip


def check_available(size: int) -> None:
    """Raises UnavailableError where images of `size` pixels cannot be corrupted here."""
    if size < SMALLEST:
        raise UnavailableError(
            "images are too small to be corrupted", value=f"{size} px", allowed=f"at least {SMALLEST} px"
        )
    try:
        import imagecorruptions  # noqa: F401
    except ImportError:
        raise UnavailableError(
            "corrupting images needs the package imagecorruptions-imaug, which is not installed",
            hint="pip install 'tinyml-coreml[robustness]'",
        ) from None


def corrupted(images: Images) -> Iterator[tuple[str, int, Images]]:
    """Every corruption at every severity, of all `images` [N, H, W, 3]; the same at each call."""
    from imagecorruptions import corrupt

    for number, name in enumerate(CORRUPTIONS):
        for severity in SEVERITIES:
            seed = 1000 * number + severity
            np.random.seed(seed)  # noqa: NPY002 - what most of them draw from; the others are given a seed
            own = {"seed": seed} if name in SEEDED else {}
            changed = [corrupt(image, corruption_name=name, severity=severity, **own) for image in images]
            yield name, severity, np.stack(changed).astype(np.uint8)
