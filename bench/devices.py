"""iPhones and iPads beside a Mac, as coremltools finds them with Xcode's `devicectl`.

https://apple.github.io/coremltools/docs-guides/source/mlmodel-utilities.html; the classes are those of
`coremltools.models.ml_program.experimental.remote_device`.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import weakref
from typing import Any

from tinyml.errors import BenchError, UnavailableError
from tinyml.quiet import quiet
from tinyml.workspace import cache_dir

KINDS = ("iphone", "ipad")


def connected_device(name: str) -> Any:
    """The one connected iPhone or iPad that `name` stands for: a device's name, its UDID, or "iphone" or "ipad".

    Raises:
        UnavailableError: This is no Mac.
        BenchError: No connected device is called so, or several are.
    """
    if sys.platform != "darwin":
        raise UnavailableError("measuring on a connected device needs macOS, with Xcode", value=name)
    with quiet():
        from coremltools.models.ml_program.experimental import remote_device
    try:
        found = [
            device
            for kind in KINDS
            for device in remote_device.Device.get_connected_devices(remote_device.DeviceType(kind))
        ]
    except Exception as error:  # noqa: BLE001  (devicectl's errors share no class that is public)
        raise BenchError("cannot ask for the connected devices", value=str(error), hint="is Xcode installed?") from None
    fitting = [device for device in found if name in (device.name, device.udid, device.type.value)]
    if len(fitting) != 1:
        known = ", ".join(f"{device.name} ({device.udid})" for device in found)
        problem = "several connected devices are called so" if fitting else "no connected device is called so"
        raise BenchError(problem, value=name, allowed=known or "none is connected", hint="unlock it and trust this Mac")
    return fitting[0]


def told(device: Any) -> str:
    """A device as the reports name it: "iphone Ann's phone, 26.1 (23B85)"."""
    return f"{device.type.value} {device.name}, {device.os_version} ({device.os_build_number})"


class Session:
    """A device with coremltools' runner app started on it; one a process, for building it takes long."""

    def __init__(self, name: str) -> None:
        self._runner = asyncio.Runner()
        weakref.finalize(self, self._runner.close)
        # Kept between processes, so that Xcode builds the app once.
        folder = cache_dir() / "model-runner"
        folder.mkdir(parents=True, exist_ok=True)
        device = connected_device(name)
        self.device = self.wait(device.prepare_for_model_debugging(working_directory=folder))

    def wait(self, coroutine: Any) -> Any:
        """The coroutine's result; all of them run in one loop, to which coremltools ties the connection.

        Raises BenchError for whatever goes wrong on the way to the device and on it.
        """
        try:
            with quiet():
                return self._runner.run(coroutine)
        except Exception as error:  # noqa: BLE001  (coremltools raises its private errors, ValueError and OSError alike)
            raise BenchError("the device did not answer", value=" ".join(str(error).split())[:300]) from None


@functools.cache
def session(name: str) -> Session:
    """This process's session with the device called `name`."""
    return Session(name)


def benchmarker(package: Any, device: Any) -> Any:
    """An `MLModelBenchmarker` of coremltools, of a model on a device."""
    with quiet():
        from coremltools.models.ml_program.experimental.perf_utils import MLModelBenchmarker
    return MLModelBenchmarker(package, device=device)
