"""docs/your-model.md: its example runs and prints what it says, and its table is the code's."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmark.models import find_network, rates
from benchmark.models.rates import list_rules

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


def test_the_table_of_resnets_is_the_code_s() -> None:
    rows = [line.strip("| ").split(" | ") for line in SECTION.splitlines() if line[:2] == "| "]
    base = find_network("torchvision:resnet18")
    found = {name: rates(f"torchvision:{name}", base, 0.1) for name in rows[0][1:5]}
    expected = {
        rule: [f"{each[rule].rate:.3g}" for each in found.values()] for rule in list_rules("sgd")
    }
    assert {row[0]: row[1:5] for row in rows[1:]} == expected
    multipliers = [each["depth-mup"].bundle.branch_multiplier for each in found.values()]
    assert rows[1][5] == f"branches x {', '.join(f'{each:.3g}' for each in multipliers)}"
