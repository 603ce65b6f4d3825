"""One name, one thing: no two files define a class, or a type, of the same name."""

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]


def defined(path: Path) -> set[str]:
    """The names of the classes and types at the top of a file, private ones left out."""
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and not name.isupper():
                names.add(name)
    return {name for name in names if not name.startswith("_")}


def test_a_name_stands_for_one_class_or_type() -> None:
    files = defaultdict(list)
    for package in ("benchmark", "search_spaces"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for name in defined(path):
                files[name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in files.items() if len(paths) > 1} == {}
