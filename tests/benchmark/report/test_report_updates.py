"""The exponent of the one-step rate on the page is the planted one."""

import re
from pathlib import Path


def test_the_planted_exponent_is_told_with_its_interval(page: Path) -> None:
    """Planted: the mean second moment grows as rate^2 depth^3, so eta* falls as depth^(-3/2)."""
    text = re.sub(r"<[^>]*>", " ", page.read_text())
    table = text[text.index("The one-step rate, at which") :]
    found = re.search(r"(−[\d.]+)\s+\[(−[\d.]+), (−[\d.]+)\], n\u00a0=\u00a0(\d+)", table)
    assert found is not None
    exponent, low, high, seeds = (float(each.replace("−", "-")) for each in found.groups())
    assert abs(exponent + 1.5) < 0.1
    assert low < -1.5 < high
    assert seeds == 4
