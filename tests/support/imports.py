"""Every import between the project's own modules, read from the code."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


def room_of(module: str) -> str:
    """``benchmark.store.folder.files`` stands in the room ``benchmark.store``."""
    return ".".join(module.split(".")[:2])


def checked(node: ast.stmt) -> list[ast.AST]:
    """What stands under ``if TYPE_CHECKING``."""
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return list(ast.walk(node))
    return []


@cache
def imports(types: bool = True, root: Path = ROOT) -> list[tuple[str, str]]:
    """Every import of the project's own modules, as (importing module, imported module).

    Without ``types``, those are left out that a type checker alone reads. ``root`` is a checkout.
    """
    pairs = []
    files = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in ("benchmark", "search_spaces")
        for path in sorted((root / package).rglob("*.py"))
    }
    for module, path in files.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        unread = set() if types else {id(node) for part in tree.body for node in checked(part)}
        for node in ast.walk(tree):
            if id(node) in unread:
                continue
            if isinstance(node, ast.ImportFrom) and node.module:
                found = [f"{node.module}.{alias.name}" for alias in node.names]
                names = [name if name in files else node.module for name in found]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            pairs += [
                (module, n) for n in names if n.split(".")[0] in ("benchmark", "search_spaces")
            ]
    return pairs
