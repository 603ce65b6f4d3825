"""What studies say of the published laws: where each holds, where not, and what would settle it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from benchmark.findings.content import format_interval
from benchmark.findings.ladders.laws import LAWS, Law
from benchmark.findings.verdict import INITIALIZATION, Verdict

FIELDS: Final = ("space", "options", "dataset", "recipe", "depths", "widths", "seeds")
"""What may explain that two measurements of one law differ."""
StudyVerdicts = tuple[Mapping[str, Any], Sequence[Verdict]]
"""A study, as ``study.json`` has it, and its verdicts."""


@dataclass(frozen=True)
class Measurement:
    """A law on one ladder with one initialization, for which its paper states it."""

    study: str
    part: Mapping[str, Any]
    verdict: Verdict

    def __str__(self) -> str:
        value = self.verdict.value
        told = f" {format_interval(value)}" if value and value.determined else ""
        weights = self.verdict.rule.removeprefix(INITIALIZATION)
        return f"{self.study}: {self.part['name']}, {weights}{told}"

    def settings(self) -> dict[str, str]:
        """What was trained: flat names and their values as text."""
        found: dict[str, str] = {}
        for name in FIELDS:
            value = self.part.get(name)
            nested = value if isinstance(value, Mapping) else {name: value}
            found |= {key: str(each) for key, each in nested.items() if each not in (None, ())}
        return found


def collect_measurements(studies: Sequence[StudyVerdicts], law: Law) -> list[Measurement]:
    """Every measurement of a law."""
    return [
        Measurement(study["name"], part, verdict)
        for study, verdicts in studies
        for part in study["parts"]
        for verdict in verdicts
        if verdict.part == part["name"] and verdict.topic == law.topic and verdict.stated
    ]


def tell_laws(studies: Sequence[StudyVerdicts]) -> Iterator[tuple[str, list[str]]]:
    """Per law a sentence with its counts, and lines: where it holds or not, and what is open."""
    for law in LAWS:
        found = collect_measurements(studies, law)
        if not found:
            continue
        by_answer = {
            said: [each for each in found if each.verdict.answer == said]
            for said in ("yes", "no", "undetermined")
        }
        held, refuted, open_ = by_answer.values()
        counts = f"holds in {len(held)}, does not hold in {len(refuted)}, open in {len(open_)}"
        lines = [
            f"{title}: {'; '.join(map(str, those))}."
            for title, those in (("Holds", held), ("Does not hold", refuted))
            if those
        ]
        lines.append(tell_what_settles(law, held, refuted, open_))
        yield f"{law.topic} ({law.source}, depth counted in {law.unit}): {counts}.", lines


def tell_what_settles(
    law: Law,
    held: Sequence[Measurement],
    refuted: Sequence[Measurement],
    open_: Sequence[Measurement],
) -> str:
    """What a further study would have to do."""
    if held and refuted:
        differing = find_differences(held, refuted)
        if differing:
            return (
                "The ladders on which it holds differ from the others in "
                f"{', '.join(differing)}: a ladder that varies these alone would settle it."
            )
        return (
            "No one setting separates the ladders on which it holds from the others: "
            "the same ladders with more seeds would settle it."
        )
    if refuted:
        spaces = sorted({str(each.part["space"]) for each in refuted})
        data = sorted({str(each.part["dataset"]) for each in refuted})
        return (
            f"Measured on {', '.join(spaces)} with {', '.join(data)} alone: a ladder on which it "
            "holds would say where it ends."
        )
    seeds = [count_seeds(each, law) for each in open_]
    needed = [count for count in seeds if count is not None]
    if needed:
        return (
            f"With {min(needed)} to {max(needed)} seeds, by the widths of the present intervals, "
            "the exponent could be told from its closest rival."
        )
    if held:
        return "No ladder contradicts it: one on which it does not hold would say where it ends."
    return "Nothing could be measured: no ladder has three trained rungs of different depth."


def find_differences(held: Sequence[Measurement], refuted: Sequence[Measurement]) -> list[str]:
    """The settings in which no ladder of one kind equals one of the other."""
    ours, theirs = ([each.settings() for each in those] for those in (held, refuted))
    names = dict.fromkeys(name for each in (*ours, *theirs) for name in each)
    return [
        name
        for name in names
        if not {each.get(name) for each in ours} & {each.get(name) for each in theirs}
    ]


def count_seeds(measured: Measurement, law: Law) -> int | None:
    """Seeds with which the interval would shrink to half the distance of the closest rival."""
    value = measured.verdict.value
    if value is None or not value.determined:
        return None
    near = min(abs(law.exponent - rival) for rival in law.rivals) / 2
    shrink: float = (value.high - value.low) / 2 / near
    return ceil(int(measured.part["seeds"]) * max(1.0, shrink) ** 2)
