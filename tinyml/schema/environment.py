"""The machine that a measurement ran on."""

from __future__ import annotations

from typing import Literal

from .base import PositiveInt, Record


class Environment(Record):
    """The machine and its software, as far as they decide a measurement."""

    machine: str
    """The hardware's model ("Mac15,3", "iPhone16,1") or the CPU's name."""
    os: Literal["linux", "macos", "ios", "windows"]
    os_version: str
    os_build: str | None = None
    cpu: str
    cores: PositiveInt
    memory_bytes: PositiveInt
    runtime: str
    """The language and its version ("python 3.11.7", "swift 6.3.1")."""
    packages: dict[str, str] = {}
    thermal_state: Literal["nominal", "fair", "serious", "critical"] | None = None
    low_power_mode: bool | None = None
    governor: str | None = None
    """How the system sets the clock ("performance", "powersave"); None: it does not tell."""
    on_battery: bool | None = None
    device: str | None = None
    """Another device beside this machine on which all of it was measured ("iphone Ann's, 26.1 (23B85)"); None: none."""
