import pytest

from tinyml.errors import UnknownNameError
from tinyml.registry import Registry


def test_names_are_sorted_and_a_duplicate_raises() -> None:
    registry: Registry[int] = Registry("thing")
    registry.add("b", 2)
    registry.add("a", 1)
    assert registry.items() == [("a", 1), ("b", 2)]
    assert "a" in registry
    with pytest.raises(ValueError, match="'a' is registered twice"):
        registry.add("a", 3)


def test_unknown_name_says_the_nearest() -> None:
    registry: Registry[int] = Registry("architecture")
    registry.add("densenet", 1)
    with pytest.raises(UnknownNameError) as caught:
        registry.get("DenseNt")
    assert str(caught.value) == "unknown architecture: 'DenseNt'; allowed: densenet; did you mean 'densenet'?"
