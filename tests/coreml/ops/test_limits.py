"""Ops that make large tensors of small inputs refuse absurd sizes instead of asking for the memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tinyml.coreml.ops.context import OpContext, TensorList
from tinyml.coreml.ops.registry import find
from tinyml.coreml.program.limits import MAX_ELEMENTS, check_size
from tinyml.coreml.program.types import ValueType
from tinyml.errors import PackageError

IMAGE = torch.ones(1, 1, 2, 2)
HUGE = 2**16
COLUMN = torch.ones(1).expand(HUGE, 1)
LIST = TensorList(element=ValueType(dtype="fp32", shape=(HUGE, HUGE)), elements=(None, None), dynamic=False)
CONTEXT = OpContext(name="op", opset="iOS18", outputs=(ValueType(dtype="int32", shape=(None,)),))

CASES: dict[str, tuple[Any, ...]] = {
    "fill": ((HUGE, HUGE),),
    "tile": (IMAGE, (1, 1, HUGE, HUGE)),
    "pad": (IMAGE, (0, HUGE, HUGE, 0)),
    "range_1d": (2**40, 0, 1, CONTEXT),
    "one_hot": (torch.zeros(HUGE, dtype=torch.int32), HUGE),
    "random_uniform": (CONTEXT, (HUGE, HUGE)),
    "random_normal": (CONTEXT, (HUGE, HUGE)),
    "random_bernoulli": (CONTEXT, (HUGE, HUGE)),
    "random_categorical": (CONTEXT, torch.ones(2), "logits", 2**31),
    "upsample_nearest_neighbor": (IMAGE, HUGE, HUGE),
    "upsample_bilinear": (IMAGE, HUGE, HUGE),
    "resize_nearest_neighbor": (IMAGE, HUGE, HUGE),
    "resize_bilinear": (IMAGE, HUGE, HUGE),
    "resize": (IMAGE, (HUGE, HUGE), 2),
    "add": (COLUMN, COLUMN.T),
    "greater": (COLUMN, COLUMN.T),
    "select": (COLUMN > 0, COLUMN, COLUMN.T),
    "matmul": (COLUMN, COLUMN.T),
    "concat": ((torch.ones(1).expand(2**29),) * 3, 0),
    "stack": ((torch.ones(1).expand(2**29),) * 3, 0),
    "gather": (COLUMN.T, torch.zeros(HUGE, dtype=torch.int32)),
    "gather_nd": (COLUMN.T, torch.zeros(HUGE, 1, dtype=torch.int32)),
    "non_maximum_suppression": (torch.rand(1, 4, 3), torch.rand(1, 2, 3), 0.5, 2**33),
    "list_read": (LIST, 0),
    "list_gather": (replace(LIST, element=ValueType(dtype="fp32", shape=(2**29,))), (0, 1, 0)),
    "conv": (IMAGE, IMAGE, None, (1, 1), "custom", (HUGE, 0, HUGE, 0)),
    "conv_transpose": (IMAGE, IMAGE, None, None, None, "valid", (HUGE, HUGE)),
}


@pytest.mark.parametrize("name", CASES)
def test_absurd_sizes_are_refused(name: str) -> None:
    definition = find(name, "iOS18")
    assert definition is not None
    with pytest.raises(PackageError, match="absurd shape"):
        definition.function(*CASES[name])


def test_the_limit_itself_is_allowed() -> None:
    check_size("a tensor", (MAX_ELEMENTS, 1))
    check_size("a tensor", (0, MAX_ELEMENTS, 2))
    with pytest.raises(PackageError, match=r"a tensor of absurd shape.*1073741825.*1073741824"):
        check_size("a tensor", (MAX_ELEMENTS + 1,))
    with pytest.raises(PackageError, match="absurd shape"):
        check_size("a tensor", (MAX_ELEMENTS + 1, 0))
    check_size("a number", ())


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("conv", (IMAGE, IMAGE, None, (1, 2**31 - 1))),
        ("conv", (IMAGE, IMAGE, None, None, "custom", (2**31 - 1, 0, 0, 0))),
        ("conv", (IMAGE, IMAGE, None, None, "custom", (0, 0, 2**31 - 1, 2**31 - 1), (1, 2**31 - 1))),
        ("conv_transpose", (IMAGE, IMAGE, None, None, None, "valid", None, (1, 2**31 - 1))),
    ],
)
def test_absurd_windows_are_refused(name: str, arguments: tuple[Any, ...]) -> None:
    definition = find(name, "iOS18")
    assert definition is not None
    with pytest.raises(PackageError, match="absurd stride, padding or dilation"):
        definition.function(*arguments)
