"""No expression tricks: a choice is written as a choice, and a name is given by an assignment."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [
    path for package in ("benchmark", "search_spaces") for path in (ROOT / package).rglob("*.py")
]
TRUTHS = (ast.Compare, ast.BoolOp)


def find_tricks(code: str) -> Iterator[str]:
    """Text or a list times a condition, ``for x in [value]`` in a comprehension, ``x == x``."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for one, other in ((node.left, node.right), (node.right, node.left)):
                text = isinstance(one, ast.Constant) and isinstance(one.value, str)
                if (text or isinstance(one, ast.List)) and isinstance(other, TRUTHS):
                    yield ast.unparse(node)
        elif isinstance(node, ast.comprehension):
            if isinstance(node.iter, ast.List) and len(node.iter.elts) == 1:
                yield f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}"
        elif isinstance(node, ast.Compare) and ast.dump(node.left) == ast.dump(node.comparators[0]):
            yield ast.unparse(node)


@pytest.mark.parametrize(
    "code",
    ["'s' * (n > 1)", "[a] * (b or c)", "[y for x in z for y in [x]]", "x.y == x.y"],
)
def test_a_trick_is_found(code: str) -> None:
    assert len(list(find_tricks(code))) == 1


def test_there_are_no_tricks() -> None:
    found = {
        str(path.relative_to(ROOT)): tricks
        for path in FILES
        if (tricks := list(find_tricks(path.read_text(encoding="utf-8"))))
    }
    assert found == {}
