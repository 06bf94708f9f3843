"""One small registry for everything that is added by name: architectures, recipes, variants, formats, backends."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from tinyml.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """Names to values of one kind, in sorted order.

    Registration sits beside the thing registered (`@registry.register("name")`); `package`, when given, is the dotted
    name of a package whose submodules are imported, sorted, at the first look-up. An ImportError in one of them is
    raised, never swallowed.
    """

    def __init__(self, kind: str, package: str | None = None) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, T] = {}

    def add(self, name: str, value: T) -> T:
        """Registers `value`; a second one of the same name is a programming error and raises ValueError."""
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered twice")
        self._entries[name] = value
        return value

    def register(self, name: str) -> Callable[[T], T]:
        """The decorator form of `add`."""
        return lambda value: self.add(name, value)

    def get(self, name: str) -> T:
        """The value registered under `name`; raises UnknownNameError with the nearest name."""
        self._discover()
        if name not in self._entries:
            raise UnknownNameError(self.kind, name, self._entries)
        return self._entries[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        self._discover()
        return sorted(self._entries)

    def items(self) -> list[tuple[str, T]]:
        """All (name, value) pairs, sorted by name."""
        return [(name, self._entries[name]) for name in self.names()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._entries

    def _discover(self) -> None:
        if self._package is None:
            return
        package, self._package = importlib.import_module(self._package), None
        for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
            importlib.import_module(f"{package.__name__}.{module}")
