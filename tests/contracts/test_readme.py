"""What the README and the pages under docs/ show of the code is the code's own."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from support import room_table
from support.room_tree import BEGIN, END, README, ROOT, room_tree

from benchmark.command import COMMANDS
from search_spaces.output_files import split_at_marks

PAGES = [README, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "jobs/README.md"))]
PAGES += sorted((ROOT / "docs").glob("*.md"))
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def test_the_tree_of_rooms_is_made_from_the_docstrings() -> None:
    _, shown, _ = split_at_marks(README, BEGIN, END)
    assert shown == room_tree(), "the rooms have changed; run make readme"


def test_the_counts_of_rooms_are_those_of_the_code() -> None:
    _, shown, _ = split_at_marks(room_table.PAGE, room_table.BEGIN, room_table.END)
    assert shown == room_table.room_table(), "the rooms have changed; run make readme"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_module_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"python -m benchmark ([a-z]+)", text)
    assert set(named) <= set(COMMANDS)
    modules = re.findall(r"python -m (benchmark\.[a-z_]+)", text)
    paths = re.findall(r"`((?:benchmark|search_spaces|tests|jobs)/[\w/.-]+)`", text)
    places = [module.replace(".", "/") for module in modules]
    missing = [
        place
        for place in [*places, *paths]
        if not (ROOT / place).exists() and not (ROOT / f"{place}.py").exists()
    ]
    assert missing == []


def test_the_readmes_example_gives_what_it_says() -> None:
    code = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    promised = re.findall(r"# ([0-9.]+)\.\.\.", "".join(code))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("".join(code), str(README), "exec"), {})
    assert promised
    for number, line in zip(promised, printed.getvalue().split(), strict=True):
        assert line.startswith(number)
