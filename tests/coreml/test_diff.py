"""Where two traces part."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tinyml.coreml.tools.diff import Difference, plot, steepest, value_differences
from tinyml.errors import InputError


def along(*levels_db: float) -> list[Difference]:
    """Differences of values a, b, c, ... with these PSNRs, worst first."""
    made = [
        Difference(
            name="abcdefgh"[place],
            kind="relu",
            position=place,
            shape=(1,),
            psnr_db=level,
            largest=0.0,
            relative=0.0,
            nan=False,
        )
        for place, level in enumerate(levels_db)
    ]
    return sorted(made, key=lambda item: item.psnr_db)


@pytest.mark.parametrize(
    ("levels_db", "name"),
    [
        ((80.0, 79.0, 20.0, 15.0), "c"),
        ((10.0, 9.0, 8.0), "a"),
        # d is of a branch that the fault of b does not reach, and what joins it again is no new fault.
        ((90.0, 30.0, 28.0, math.inf, 25.0), "b"),
        ((math.inf, math.inf, -math.inf, math.inf), "c"),
        ((math.inf, math.inf), "a"),
    ],
)
def test_a_fault_enters_where_psnr_falls_below_all_before(levels_db: tuple[float, ...], name: str) -> None:
    assert steepest(along(*levels_db)).name == name


def test_psnr_is_of_the_largest_magnitude_over_the_error() -> None:
    reference = {
        "x": np.array([3.0, -4.0]),
        "y": np.array([1.0, np.inf]),
        "z": np.array([1.0, np.nan]),
        "only": np.ones(1),
    }
    other = {"x": np.array([3.0, -3.6]), "y": np.array([1.0, 2.0]), "z": np.array([1.0, np.nan]), "z2": np.ones(1)}
    found = {item.name: item for item in value_differences(reference, other, {"x": "conv"})}
    assert list(found) == ["y", "x", "z"]
    # The root mean square of (0, 0.4) is 0.4 / sqrt(2).
    assert found["x"].psnr_db == pytest.approx(20 * math.log10(4 / (0.4 / math.sqrt(2))))
    assert found["x"].kind == "conv"
    assert found["x"].relative == pytest.approx(0.1)
    assert (found["y"].psnr_db, found["y"].largest) == (-math.inf, math.inf)
    assert (found["z"].psnr_db, found["z"].largest) == (math.inf, 0.0)


def test_models_without_a_value_in_common_are_refused() -> None:
    with pytest.raises(InputError, match="no value of the same name and shape"):
        value_differences({"x": np.ones(2)}, {"x": np.ones(3)})


@pytest.mark.parametrize("levels_db", [(90.0, math.inf, 40.0), (math.inf, math.inf), (-math.inf, 3.0)])
def test_a_plot_shows_equal_values_too(levels_db: tuple[float, ...], tmp_path: Path) -> None:
    path = tmp_path / "diff.png"
    plot(along(*levels_db), path, "a against b")
    with Image.open(path) as image:
        image.load()
        assert image.size == (960, 600)
        # A curve or marks stand on the white: more than text and frame alone.
        assert len(image.convert("RGB").getcolors(1 << 24) or []) > 20
