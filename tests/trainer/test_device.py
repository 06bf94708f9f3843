"""Devices by capability, interrupts, and memory."""

from __future__ import annotations

import signal

import pytest
import torch

from tinyml.errors import UnavailableError, UsageError
from tinyml.schema import MemoryPeak
from tinyml.trainer import device
from tinyml.trainer.memory import MemoryMeter
from tinyml.trainer.signals import Interrupts


def test_auto_takes_the_best_there_is() -> None:
    for there, expected in ((("cuda", "mps", "cpu"), "cuda"), (("mps", "cpu"), "mps"), (("cpu",), "cpu")):
        reasons = {name: None if name in there else "absent" for name in device.DEVICES}
        assert device.choose("auto", absence=reasons.get).type == expected


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_an_absent_device_says_why(name: str) -> None:
    reason = device.absence(name)
    if reason is None:
        pytest.skip(f"{name} is here")
    with pytest.raises(UnavailableError, match=f"the device {name} is not available here: .*--device auto"):
        device.choose(name)


def test_unknown_device() -> None:
    with pytest.raises(UsageError, match="unknown device: 'tpu'; allowed: auto, cpu, cuda, mps"):
        device.choose("tpu")


def test_images_lie_contiguous_on_mps_only() -> None:
    assert device.memory_format(torch.device("mps")) is torch.contiguous_format
    assert device.memory_format(torch.device("cpu")) is torch.channels_last


def test_products_are_in_the_precision() -> None:
    for precision, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16)):
        with device.autocast(torch.device("cpu"), precision):  # type: ignore[arg-type]
            assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is dtype
    with device.autocast(torch.device("cpu"), "fp32"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


def test_bf16_refused_where_it_lacks() -> None:
    with pytest.raises(UnavailableError, match="no bfloat16'; use --precision fp32"):
        device.autocast(torch.device("cpu"), "bf16", absence=lambda *_: "this GPU has no bfloat16")


def test_the_earlier_peak_stays() -> None:
    meter = MemoryMeter(torch.device("cpu"))
    now = meter.peak()
    assert now.device_bytes is None
    before = MemoryPeak(process_bytes=1 << 50, device_bytes=7)
    assert meter.peak(before) == before


def test_an_interrupt_waits_for_the_held_block() -> None:
    done = []
    with Interrupts().installed() as interrupts, pytest.raises(KeyboardInterrupt):
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append(1)
        done.append(2)
    assert done == [1]


def test_a_shielded_block_forgets_them() -> None:
    with Interrupts().installed() as interrupts:
        with interrupts.shielded():
            signal.raise_signal(signal.SIGINT)
        with interrupts.held():
            pass


def test_an_interrupt_outside_comes_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts().installed():
        signal.raise_signal(signal.SIGTERM)
