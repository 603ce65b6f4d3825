"""What studies say of the published laws: every measurement is counted once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmark.analysis.intervals import Interval
from benchmark.findings.answers.words import LAW_WORDS, TOLD_LAWS
from benchmark.findings.comparisons.laws import collect_measurements, count_seeds, tell_laws
from benchmark.findings.content import Block
from benchmark.findings.ladders.laws import LAWS, is_stated
from benchmark.findings.parts import open_with_one
from benchmark.findings.verdict import Verdict

LAW = LAWS[0]
DIGITS: dict[str, Any] = {
    "name": "ladder",
    "space": "mlp",
    "options": {"width": 64},
    "dataset": "digits",
    "recipe": {"steps": 64},
    "seeds": 2,
}
IMAGES = DIGITS | {"dataset": "images", "name": "other"}


def measure(part: str, answer: Any, low: float, high: float, weights: str = "he") -> Verdict:
    value = Interval((low + high) / 2, low, high, 5, "planted")
    head = (part, LAW.topic, LAW.question, f"initialization {weights}")
    return Verdict(*head, "", answer, "", value)


def tell(*verdicts: Verdict) -> list[str]:
    """The lines about the first law of a study of both parts, in one text each."""
    study = {"name": "planted", "parts": [DIGITS, IMAGES]}
    return [" ".join((said, *lines)) for said, lines in tell_laws([(study, verdicts)])]


def test_what_separates_yes_from_no_is_named() -> None:
    """The parts differ in their data alone."""
    (text,) = tell(measure("ladder", "yes", -1.6, -1.4), measure("other", "no", -0.6, -0.4))
    assert "holds in 1, does not hold in 1, open in 0" in text
    assert "Holds: planted: ladder, he −1.50 [−1.60, −1.40], n\u00a0=\u00a05." in text
    assert "Does not hold: planted: other, he −0.500 [−0.600, −0.400], n\u00a0=\u00a05." in text
    assert "differ from the others in dataset: a ladder" in text


def test_nothing_separates_measurements_of_one_ladder() -> None:
    mixed = [
        measure("ladder", "yes", -1.6, -1.4),
        measure("ladder", "no", -1, -0.9, "he, width 64"),
    ]
    assert "No one setting separates" in tell(*mixed)[0]


def test_a_law_that_nothing_contradicts_was_measured() -> None:
    text = tell(measure("ladder", "yes", -1.6, -1.4))[0]
    assert "holds in 1, does not hold in 0, open in 0" in text
    assert text.endswith(
        "No ladder contradicts it: one on which it does not hold would say where it ends."
    )


def test_a_law_that_was_not_measured_is_told_so() -> None:
    unknown = replace(measure("ladder", "undetermined", 0, 0), value=None)
    assert tell(unknown)[0].endswith(
        "Nothing could be measured: no ladder has three trained rungs of different depth."
    )


@pytest.mark.parametrize(("half", "seeds"), [(0.25, 2), (0.5, 8), (0.1, 2), (1.0, 32)])
def test_seeds_grow_with_the_square_of_the_width(half: float, seeds: int) -> None:
    """Told apart means a half width of 1/4: half the distance from -3/2 to -1."""
    open_ = measure("ladder", "undetermined", -1.5 - half, -1.5 + half)
    (found,) = collect_measurements([({"name": "planted", "parts": [DIGITS]}, [open_])], LAW)
    assert count_seeds(found, LAW) == seeds
    assert f"With {seeds} to {seeds} seeds" in tell(open_)[0]


def test_a_law_asked_of_other_weights_than_its_papers_is_not_counted() -> None:
    other = replace(measure("ladder", "no", -0.1, 0.1), stated=False)
    assert tell(other) == []


def test_every_law_has_words() -> None:
    """A topic that is written in another way would be told in words of no law."""
    assert LAW_WORDS.keys() == {law.topic for law in LAWS}
    assert set(TOLD_LAWS) <= LAW_WORDS.keys()


@pytest.mark.parametrize(
    ("weights", "chain", "residual"),
    [
        ("he", True, False),
        ("he+mean-field", True, False),
        ("residual-aware", True, True),
        ("residual-aware, width 64", True, True),
        ("he, branch scaled", False, False),
        ("in-degree-target", False, False),
    ],
)
def test_laws_are_stated_for_their_papers_weights(
    weights: str, chain: bool, residual: bool
) -> None:
    assert is_stated(weights, residual=False) == chain
    assert is_stated(weights, residual=True) == residual


def test_the_page_opens_with_the_part_of_which_most_can_be_told() -> None:
    blocks = [Block("answer", name, ["a figure"]) for name in ("ladder", "other")]
    told = [measure("ladder", "undetermined", -2, 0), measure("other", "no", -0.6, -0.4)]
    assert [block.section for block in open_with_one(blocks, told)] == ["slope", "answer"]
    assert [block.section for block in open_with_one(blocks, told[:1])] == ["answer", "slope"]
