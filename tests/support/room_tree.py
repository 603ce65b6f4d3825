"""The tree of rooms in the README, made from the first lines of the rooms' own docstrings.

``make readme`` writes it between the README's markers; a test compares.
"""

import ast
from pathlib import Path

from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BEGIN, END = "<!-- rooms: made by make readme -->\n", "<!-- end of rooms -->"
WAY = [
    "study",
    "rules",
    "plan",
    "sweep",
    "engine",
    "training",
    "datasets",
    "store",
    "published",
    "analysis",
    "findings",
    "report",
    "speed",
]
"""The rooms of ``benchmark`` in the order in which a cell passes them."""


def first_line(path: Path) -> str:
    """The first sentence of a module's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n\n")[0].replace("\n", " ").strip().removesuffix(".")


def row(name: str, path: Path) -> str:
    """One line of the tree."""
    return f"  {name:<18}{first_line(path)}"


def tree(package: str, order: list[str]) -> list[str]:
    """A package, its folders in this order (others follow), and then its files."""
    folder = ROOT / package
    rooms = sorted(path.parent.name for path in folder.glob("*/__init__.py"))
    rooms.sort(key=lambda name: order.index(name) if name in order else len(order))
    files = sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    return [
        f"{package + '/':<20}{first_line(folder / '__init__.py')}",
        *(row(f"{name}/", folder / name / "__init__.py") for name in rooms),
        *(row(path.name, path) for path in files),
    ]


def room_tree() -> str:
    """What stands between the README's markers."""
    pages = " ".join(sorted(path.name for path in (ROOT / "docs").glob("*.md")))
    lines = [
        *tree("benchmark", WAY),
        *tree("search_spaces", []),
        "jobs/               what to run: quickstart.py and a file per study",
        "reports/            generated, but for the committed examples",
        "tests/              in the same rooms; laws/ contracts/ chaos/ golden/",
        f"docs/               {pages}",
    ]
    return "```\n" + "\n".join(lines) + "\n```\n"


if __name__ == "__main__":
    replace_between(README, BEGIN, END, room_tree())
