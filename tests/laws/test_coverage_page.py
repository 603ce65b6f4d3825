"""The page of coverages has the rows that its commands print, within the noise of fewer studies."""

import re
from pathlib import Path

import pytest
from support.coordinate_check import describe_changes
from support.coverage_table import cover_transfers, list_settings

PAGE = (Path(__file__).parents[2] / "docs/coverage.md").read_text(encoding="utf-8")
ROWS = {
    name.strip(): (float(before), float(after))
    for name, before, after in re.findall(r"^(\S.*?) +([01]\.\d{3})  ([01]\.\d{3})$", PAGE, re.M)
}


def test_every_setting_of_the_table_is_on_the_page() -> None:
    assert list(ROWS) == [name for names, _ in list_settings() for name in names]


def test_what_reports_show_covers_and_what_leaves_an_error_out_does_not() -> None:
    for name, (_, after) in ROWS.items():
        assert after >= 0.93, name
        most = 0.985 if name.startswith("regret, base re-chosen") else 0.975
        assert after <= most, name
    assert min(before for before, _ in ROWS.values()) < 0.5


@pytest.mark.parametrize("common", [0.0, 0.15])
def test_fewer_studies_give_about_the_same_coverages(common: float) -> None:
    found = cover_transfers(4, common, 0.1, studies=150)
    for what, pair in zip(("rate error", "regret"), found, strict=True):
        printed = ROWS[f"{what}, 4 rungs, base off by {common}, each by 0.1"]
        assert pair == pytest.approx(printed, abs=0.13)


def test_the_coordinate_check_is_what_its_command_prints() -> None:
    for line in describe_changes("mlp", "adamw"):
        name, numbers = line[:22], [float(each) for each in re.findall(r"\d+\.\d+", line)]
        (printed,) = [row for row in PAGE.splitlines() if row.startswith(name)]
        assert [float(n) for n in re.findall(r"\d+\.\d+", printed)] == pytest.approx(
            numbers, rel=0.1
        )
