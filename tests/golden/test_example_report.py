"""The committed example is what the present code makes of the committed table.

Numbers are compared to six digits and words to the letter, not bytes: another processor may round
the last digit of a float otherwise.
"""

import csv
import re
from pathlib import Path

import pytest

from benchmark.report.__main__ import main

EXAMPLE = Path(__file__).parents[2] / "reports" / "example"
NUMBER = re.compile(r"[-−+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("example")
    assert main([str(EXAMPLE / "results"), "--out", str(out)]) == 0
    return out


def cells(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_every_table_of_the_example_is_made_again(remade: Path) -> None:
    names = sorted(path.name for path in (EXAMPLE / "data").iterdir())
    assert names == sorted(path.name for path in (remade / "data").iterdir())
    for name in names:
        before, after = cells(EXAMPLE / "data" / name), cells(remade / "data" / name)
        assert [len(row) for row in before] == [len(row) for row in after], name
        for row, again in zip(before, after, strict=True):
            for old, new in zip(row, again, strict=True):
                assert same(old, new), f"{name}: {old!r} became {new!r}; run make report-example"


def same(old: str, new: str) -> bool:
    try:
        return float(new) == pytest.approx(float(old), rel=1e-6, abs=1e-9, nan_ok=True)
    except ValueError:
        return old == new


def test_the_words_of_the_example_are_made_again(remade: Path) -> None:
    def words(folder: Path) -> str:
        page = (folder / "index.html").read_text()
        page = re.sub(r"(?s)<(style|svg|script).*?</\1>", "", page)
        return NUMBER.sub("#", re.sub(r"(?s)<[^>]*>", " ", page))

    assert words(remade) == words(EXAMPLE)
