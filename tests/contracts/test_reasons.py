"""What a system says of its own failure reaches people through `reason_of`, without its number ("[Errno 2]")."""

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import tinyml

ROOT = Path(tinyml.__file__).parent


def test_no_message_shows_the_number_of_a_system_error() -> None:
    # Three packages are links, which rglob does not follow.
    files = [path for folder in (ROOT, *ROOT.iterdir()) if folder.is_dir() for path in folder.resolve().rglob("*.py")]
    assert {"loop.py", "pipeline.py", "runner.py", "planner.py"} <= {path.name for path in files}
    found = {
        f"{path}:{line}"
        for path in set(files)
        for handler in of_the_system(ast.parse(path.read_text(encoding="utf-8")))
        for line in told_as_it_is(handler)
    }
    assert found == set(), "write reason_of(error) instead"


def test_what_is_looked_for_is_found() -> None:
    code = "BAD = (ValueError, FileNotFoundError)\ntry: pass\nexcept BAD as error: raise Refused(f'no: {error}')\n"
    assert [told_as_it_is(handler) for handler in of_the_system(ast.parse(code))] == [[3]]


def of_the_system(tree: ast.Module) -> Iterator[ast.ExceptHandler]:
    """The handlers that may catch an OSError, a tuple of a module's own looked up."""
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name and any(map(is_of_the_system, kinds(node.type, named))):
            yield node


def kinds(node: ast.expr | None, named: dict[str, ast.expr]) -> Iterator[str]:
    if isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from kinds(item, named)
    elif isinstance(node, ast.Name):
        if node.id in named:
            yield from kinds(named[node.id], named)
        else:
            yield node.id


def is_of_the_system(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, OSError)


def told_as_it_is(handler: ast.ExceptHandler) -> list[int]:
    """The lines where the caught error itself becomes text."""
    lines = []
    for node in ast.walk(handler):
        if isinstance(node, ast.FormattedValue):
            values = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("str", "repr"):
            values = node.args
        else:
            continue
        lines += [node.lineno for value in values if isinstance(value, ast.Name) and value.id == handler.name]
    return lines
