"""The page of faults names tests that exist, one or more for every case."""

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
CASES = 63
"""Those of the attacks and reports that the page is about."""


@cache
def list_tests(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_case_names_a_test() -> None:
    begin = PAGE.read_text(encoding="utf-8").partition("## The cases")[2].partition("\n## ")[0]
    rows = [line for line in begin.splitlines() if line.startswith("| ")]
    cases = [row for row in rows if not row.startswith("| what was done |")]
    assert len(cases) == CASES
    assert [row for row in cases if row.count(" | ") != 3 or not NAMED.search(row)] == []


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text(encoding="utf-8"))
    assert [(file, name) for file, name in named if name not in list_tests(file)] == []
