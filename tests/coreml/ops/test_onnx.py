"""Each op that can be traced becomes ONNX, and computes there what it does here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from tinyml.coreml.trace.onnx import onnx_runner
from tinyml.quiet import quiet

from . import test_traceability
from .cases import TENSORS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")]


class _Module(torch.nn.Module):
    def __init__(self, call: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.call = call

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        result = self.call(x)
        return result if isinstance(result, tuple) else (result,)


def _check(call: Callable[[Tensor], Any], x: Tensor) -> None:
    module = _Module(call)
    with torch.no_grad(), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = module(x)
        program = torch.onnx.export(torch.export.export(module, (x,), strict=False), dynamo=True, verbose=False)
    assert program is not None
    found = onnx_runner(program.model_proto.SerializeToString(), threads=1)([x])
    for value, want in zip(found, expected, strict=True):
        # Sums of some ten float32 products, in another order.
        torch.testing.assert_close(torch.from_numpy(value), want, rtol=1e-4, atol=1e-5, equal_nan=True)


@pytest.mark.parametrize("case", test_traceability.ALL)
def test_layers_and_elementwise_ops(case: str) -> None:
    _check(*test_traceability.alone(case))


@pytest.mark.parametrize("case", TENSORS)
def test_ops_on_tensors(case: str) -> None:
    x = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(1))
    _check(TENSORS[case], x)
