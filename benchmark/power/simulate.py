"""The share of answers that a study would give if a law held, by simulation.

Every part is planned as the study plans it, round by round, with its own rungs, rates, rules and
seeds; its rows are planted (``benchmark.power.planted_truth``) in place of training; and its
findings are those of the report. What is counted is what readers would read, yes, no or
undetermined, and whether that is right (``benchmark.power.right_answers``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table

from benchmark.analysis.thresholds import Answer
from benchmark.findings.parts import judge_study
from benchmark.power.in_memory import carry_out
from benchmark.power.noise import NoiseOf, NoiseSource, typical_noise
from benchmark.power.planted_truth import TRUTHS, Truth, plant_rows
from benchmark.power.right_answers import find_right_answer
from benchmark.store.formats import manifest, schema
from benchmark.store.formats.unit_rows import Collection
from benchmark.store.results import Results
from benchmark.study import Study
from benchmark.study.stage import GRID
from benchmark.study.unit import Unit

REPEATS: Final = 10
ENOUGH: Final = 0.75
"""A study has power where this share of its verdicts, or more, is the right answer."""
TOLERATED: Final = 0.1
"""More wrong answers than this are more than 95% intervals and few repeats can explain."""


class Answered(NamedTuple):
    """How often a question about one rule got each answer, under one truth.

    ``right`` is the answer that holds, None where neither yes nor no does.
    """

    part: str
    topic: str
    rule: str
    truth: str
    answers: Counter[Answer]
    right: Answer | None

    def share(self, answer: Answer) -> float:
        """The share of the repeats with this answer."""
        return self.answers[answer] / self.answers.total()

    @property
    def wrong(self) -> float:
        """The share of the repeats with the answer that does not hold."""
        counted = self.answers["yes"] + self.answers["no"]
        return (counted - (self.answers[self.right] if self.right else 0)) / self.answers.total()


class Shares(NamedTuple):
    """The shares of a part's verdicts, and how many questions have no right answer."""

    right: float
    wrong: float
    unknown: float
    spare: int

    @property
    def passes(self) -> bool:
        """Whether the part has power."""
        return round(self.right, 9) >= ENOUGH and round(self.wrong, 9) <= TOLERATED


def measure_power(
    study: Study, repeats: int = REPEATS, noise_of: NoiseOf = typical_noise
) -> list[Answered]:
    """Every question of every part, under every truth that is planted in parts of its kind."""
    found: dict[tuple[str, str, str, str], Answered] = {}
    for asked in study.parts:
        part = replace(asked, judged=True)
        alone, base = replace(study, parts=(part,)), part.architectures()[0]
        noise = noise_of(asked)
        for truth in TRUTHS[part.kind]:
            for repeat in range(repeats):
                results, grid = plant_results(alone, base, truth, noise, repeat)
                verdicts, _ = judge_study(results, None)
                for verdict in verdicts:
                    key = verdict.part, verdict.topic, verdict.rule, truth.name
                    if key not in found:
                        (planned,) = results.study["parts"]
                        right = find_right_answer(planned, grid, base, truth, noise, verdict)
                        found[key] = Answered(*key, Counter(), right)
                    found[key].answers[verdict.answer] += 1
    return list(found.values())


def plant_results(
    study: Study, base: str, truth: Truth, noise: NoiseSource, repeat: int
) -> tuple[Results, Sequence[Unit]]:
    """The results of a study of one part whose rows are planted, and the units of its grid, if it
    has one; nothing is trained or written.

    ``base`` is the part's first architecture.
    """
    (part,) = study.parts
    stages, rows = carry_out(
        study, lambda unit: plant_rows(part, base, unit, truth, noise.find(unit), repeat)
    )
    units = Collection(
        schema.make_table([row for unit_rows in rows.values() for row in unit_rows]),
        {unit_id: len(unit_rows) for unit_id, unit_rows in rows.items()},
        {},
    )
    planned = manifest.make_manifest(study, stages)
    results = Results.of_units("planted", planned["study"], manifest.read_stages(planned), units)
    grid = next((stage.units for stage in stages if stage.name == GRID), None)
    return results, grid or ()


def show_power(
    study: Study, console: Console, repeats: int = REPEATS, noise_of: NoiseOf = typical_noise
) -> None:
    """Print the shares of every question, and which parts have too little power to answer."""
    answered = measure_power(study, repeats, noise_of)
    for part in study.parts:
        console.print(tabulate([each for each in answered if each.part == part.name], part.name))
    judged = {part.name for part in study.parts if part.judged}
    for sentence in judge_power(answered, judged, repeats):
        console.print(sentence, highlight=False)


def tabulate(answered: Sequence[Answered], part: str) -> Table:
    """A row per question and rule, a column per truth: shares of yes, no and undetermined, with
    the right answer."""
    truths = list(dict.fromkeys(each.truth for each in answered))
    table = Table(
        title=f"{part}: right answer, and shares of yes / no / undetermined, by what is true"
    )
    for heading in ("question", "rule", *truths):
        table.add_column(heading)
    for topic, rule in dict.fromkeys((each.topic, each.rule) for each in answered):
        row = {
            each.truth: f"{each.right or 'neither'}: "
            + " / ".join(f"{each.share(answer):.2f}" for answer in ("yes", "no", "undetermined"))
            for each in answered
            if (each.topic, each.rule) == (topic, rule)
        }
        table.add_row(topic, rule, *(row.get(truth, "–") for truth in truths))
    return table


def judge_power(answered: Sequence[Answered], judged: Set[str], repeats: int) -> Iterator[str]:
    """A sentence on every part: the shares of its verdicts that are right, wrong, undetermined.

    Where neither yes nor no holds, only how many such questions there are is said. Parts that are
    not ``judged`` give no verdicts: of them it is said what these would be.
    """
    for part in dict.fromkeys(each.part for each in answered):
        own = [each for each in answered if each.part == part]
        shares = count_shares(own)
        said = "passes" if shares.passes else "FAILS"
        if part not in judged:
            said = "is not judged, and " + ("would pass" if shares.passes else "would fail")
        left = (
            f"; {shares.spare} question{' has' if shares.spare == 1 else 's have'} no right answer"
        )
        yield (
            f"part {part} {said} its power check: of its verdicts {shares.right:.0%} are right, "
            f"{shares.wrong:.1%} wrong and {shares.unknown:.0%} undetermined, over "
            f"{len({each.truth for each in own})} planted truths and {repeats} repeats"
            + (left if shares.spare else "")
        )


def count_shares(answered: Sequence[Answered]) -> Shares:
    """The mean shares of the questions of one part that have a right answer."""
    scored = [each for each in answered if each.right]
    count = max(len(scored), 1)
    return Shares(
        sum(each.share(each.right) for each in scored if each.right) / count,
        sum(each.wrong for each in scored) / count,
        sum(each.share("undetermined") for each in scored) / count,
        len(answered) - len(scored),
    )
