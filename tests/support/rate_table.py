"""The table of rates in the README and in docs/your-model.md, made by the code.

``make readme`` writes it between both pages' markers; a test compares. The network of 12 and 48
blocks is the one that docs/your-model.md defines.
"""

import re
from pathlib import Path
from typing import Any

import torch

from benchmark.models import Network, find_network, rates, read_network
from benchmark.models.rates import Prescription
from search_spaces.output_files import replace_between

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "your-model.md"
PAGES = (ROOT / "README.md", GUIDE)
BEGIN, END = "<!-- rates: made by make readme -->\n", "<!-- end of rates -->"
RATE = 0.1
RUNGS = ("resnet34", "resnet50", "resnet101", "resnet152")


def read_blocks(blocks: int) -> Network:
    """The guide's own network of so many blocks."""
    code = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "my_nets"}
    exec(next(block for block in code if "def make(" in block), names)
    with torch.device("meta"):
        return read_network(names["make"](blocks), torch.zeros(2, 3, 32, 32), name=f"{blocks}")


def prescribe_all() -> dict[str, dict[str, Prescription]]:
    """What every rule prescribes, by the network that gets it, under SGD."""
    base = find_network("torchvision:resnet18")
    found = {name: rates(f"torchvision:{name}", base, RATE) for name in RUNGS}
    return {**found, "48 blocks": rates(read_blocks(48), read_blocks(12), RATE)}


def tell_conditions(each: list[Prescription]) -> str:
    """What holds with a rule's rates: its weights, and its branch multipliers where it has them."""
    (weights,) = {found.bundle.initialization for found in each}
    multipliers = [found.bundle.branch_multiplier for found in each]
    if set(multipliers) == {1.0}:
        return f"`{weights}` weights"
    return f"`{weights}` weights, branches x {', '.join(f'{value:.3g}' for value in multipliers)}"


def rate_table() -> str:
    """What stands between the markers."""
    found = prescribe_all()
    first = next(iter(found.values()))
    rows = [
        f"| `{rule}` | {' | '.join(f'{each[rule].rate:.3g}' for each in found.values())} | "
        f"{tell_conditions([each[rule] for each in found.values()])} |"
        for rule in first
    ]
    head = [
        f"| rule | {' | '.join(found)} | with |",
        f"|---|{'---:|' * len(found)}---|",
    ]
    return "\n".join(["", *head, *rows, "", ""])


if __name__ == "__main__":
    made = rate_table()
    for page in PAGES:
        replace_between(page, BEGIN, END, made)
