"""docs/your-model.md: its example runs and prints what it says, and its table is the code's."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from support import rate_table

from search_spaces.output_files import split_at_marks

PAGE = (Path(__file__).parents[3] / "docs" / "your-model.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Which rate for the deeper network")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"^```python\n(.*?)^```", SECTION, flags=re.MULTILINE | re.DOTALL)


def test_the_example_prints_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS) == 4
    names: dict[str, Any] = {"__name__": "my_nets"}
    torch.manual_seed(0)
    said = []
    for block in BLOCKS:
        exec(block, names)
        shown = capsys.readouterr().out.splitlines()
        told = re.findall(r"^# (.*)$", block, flags=re.MULTILINE)
        said += shown
        assert shown == told or not told
    growth = {rule: float(deep) / float(base) for rule, base, deep in map(str.split, said[-2:])}
    assert growth["tuned-constant"] > 3
    assert growth["depth-mup"] < 3


def test_the_tables_of_rates_are_the_code_s() -> None:
    made = rate_table.rate_table()
    for page in rate_table.PAGES:
        _, shown, _ = split_at_marks(page, rate_table.BEGIN, rate_table.END)
        assert shown == made, f"{page.name}: run make readme"
