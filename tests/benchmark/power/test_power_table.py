"""The page on power says what the committed studies' plans give."""

from dataclasses import asdict

import pytest
from support.power_table import (
    BEGIN,
    END,
    NOISE_BEGIN,
    NOISE_END,
    PAGE,
    describe_noise_of_part,
    describe_part,
    list_studies,
)

from benchmark.power.noise import Noise
from benchmark.study import Updates
from search_spaces.output_files import split_at_marks


def test_every_part_of_every_committed_study_has_a_row() -> None:
    _, table, _ = split_at_marks(PAGE, BEGIN, END)
    named = [tuple(row.split(" | ")[:2]) for row in table.splitlines()[2:]]
    planned = [
        (f"| `{folder}`", part.name) for folder, study in list_studies() for part in study.parts
    ]
    assert named == planned, "studies have changed; run make power"


def test_fewer_than_a_quarter_of_the_quickstart_s_verdicts_are_undetermined() -> None:
    """Its rungs and seeds are chosen so, with the noise of an earlier run."""
    _, table, _ = split_at_marks(PAGE, BEGIN, END)
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    judged = {
        row[1]: row[2:] for row in rows if row[0] == "`quickstart`" and row[2] != "not judged"
    }
    assert len(judged) == 4
    for part, (_, _, wrong, undetermined) in judged.items():
        assert float(undetermined.rstrip("%")) < 25, part
        assert float(wrong.rstrip("%")) <= 10, part


def test_a_row_is_what_its_plan_gives() -> None:
    text = PAGE.read_text(encoding="utf-8")
    folder, study = list_studies()[0]
    part = next(part for part in study.parts if isinstance(part, Updates))
    assert describe_part(folder, study, part) in text, "powers have changed; run make power"


def test_the_noise_is_what_the_committed_results_show() -> None:
    _, table, _ = split_at_marks(PAGE, NOISE_BEGIN, NOISE_END)
    folder, study = list_studies()[0]
    for part in study.parts:
        row = describe_noise_of_part(folder, part)
        assert row in table.splitlines(), "results have changed; run make power"
    medians = [float(cell) for cell in table.splitlines()[-1].strip("| ").split(" | ")[-8:]]
    assert list(asdict(Noise()).values()) == pytest.approx(medians, rel=0.2)
