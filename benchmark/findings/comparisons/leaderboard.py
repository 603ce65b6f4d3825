"""Several studies side by side: which rule loses least over all their ladders, and every answer.

Each study is judged once, and both tables are made from its verdicts: the losses on a ladder, its
answers and those of the study's own page are the same, and a part that is not judged has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from benchmark.analysis.intervals import Array
from benchmark.analysis.regret.leaderboard import Standing, rank_rules
from benchmark.findings.answers.headline import join_names
from benchmark.findings.answers.matrix import enter
from benchmark.findings.content import Block, Link, Table, TableCell, format_interval
from benchmark.findings.ladders.transfer import TOPIC
from benchmark.findings.parts import judge_study
from benchmark.findings.verdict import Verdict
from benchmark.store.results import Results

UNIT = "training loss above the best rule of each rung, in nats"


def compare_studies(
    results: Sequence[Results], pages: Sequence[str]
) -> tuple[list[str], list[Block]]:
    """Sentences, and the blocks of the page; ``pages`` are links to the studies' own pages, empty
    where there is none."""
    judged = [(each, judge_study(each, None)[0]) for each in results]
    excess: dict[str, dict[str, Array]] = {}
    for each, verdicts in judged:
        for v in verdicts:
            if v.topic == TOPIC and v.seeds:
                ladder = f"{each.study['name']}: {v.part}"
                excess.setdefault(ladder, {})[v.rule] = np.array(v.seeds)
    standings = rank_rules(excess) if excess else []
    blocks = [Block("leaderboard", "", tabulate_standings(standings, excess))] if excess else []
    blocks += [
        Block("studies", "", [tabulate_studies(results, pages)]),
        Block("verdict", "", [tabulate_answers(judged)]),
    ]
    return [describe_leader(standings, len(excess))], blocks


def describe_leader(standings: Sequence[Standing], ladders: int) -> str:
    """Which rule loses least, and which cannot be told from it."""
    if not standings:
        return "No study here has a ladder on which rules were compared by their losses."
    first, *others = standings
    tied = [each.rule for each in others if each.rank == 1]
    over = f"{ladders} ladder{'s' if ladders > 1 else ''}"
    lost = format_interval(first.excess, 1, " nats")
    told = f"Over {over}, {first.rule} loses least: {lost} seeds, above the best rule of each rung."
    if tied:
        told += f" {join_names(tied)} {'share' if len(tied) > 1 else 'shares'} its rank."
    return told


def tabulate_standings(
    standings: Sequence[Standing], excess: Mapping[str, Mapping[str, Array]]
) -> list[Table]:
    """The leaderboard, and what it is made of: every rule on every ladder."""
    rows: list[Sequence[TableCell]] = [
        (each.rule, each.rank, each.excess, each.p, f"{each.ladders} of {len(excess)}")
        for each in standings
    ]
    title = (
        f"The rules by their mean {UNIT}; divergence is scored as guessing. A rule shares the rank "
        "of a leader whose interval reaches its own; p is that of the difference from the first on "
        "the ladders of both, by Holm. n counts seeds over all ladders"
    )
    single: list[Sequence[TableCell]] = [
        (
            ladder,
            *(by_rule[each.rule].mean() if each.rule in by_rule else None for each in standings),
        )
        for ladder, by_rule in excess.items()
    ]
    names = [each.rule for each in standings]
    return [
        Table(title, ("rule", "rank", "excess loss", "p", "ladders"), rows),
        Table(f"Every rule on every ladder: {UNIT}", ("study: part", *names), single),
    ]


def tabulate_studies(results: Sequence[Results], pages: Sequence[str]) -> Table:
    """The studies: what they ask, how much of them is done, and when."""
    rows: list[Sequence[TableCell]] = []
    for each, page in zip(results, pages, strict=True):
        done, planned = (sum(getattr(c, n) for c in each.counts) for n in ("done", "planned"))
        finished = (each.provenance.finished or "–")[:10]
        replicas = sum(count.replicas for count in each.counts)
        told = (each.study["question"], f"{done:,} of {planned:,}", replicas, finished)
        rows.append((Link(each.study["name"]).to(page), *told))
    columns = ("study", "question", "units done", "replicas", "newest unit")
    return Table("The studies compared here", columns, rows)


def tabulate_answers(judged: Sequence[tuple[Results, Sequence[Verdict]]]) -> Table:
    """Every answer about a rule: the words and numbers of the studies' own pages."""
    rows: list[Sequence[TableCell]] = []
    for each, verdicts in judged:
        for verdict in verdicts:
            entry = enter(verdict)
            answer = entry.word[0], entry.effect or "–"
            rows.append((verdict.rule, verdict.topic, *answer, each.study["name"], verdict.part))
    columns = ("rule", "question", "answer", "effect", "study", "part")
    return Table("Every answer of every study", columns, sorted(rows, key=str))
