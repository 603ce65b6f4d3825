"""The answers of a study: a few sentences, two matrices, a line per question.

All are made here from the same verdicts, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmark import rules
from benchmark.findings.answers.headline import tell_parts
from benchmark.findings.answers.matrix import Matrix, make_matrix
from benchmark.findings.answers.words import CONTROLLED
from benchmark.findings.verdict import INITIALIZATION, Verdict


@dataclass(frozen=True)
class Answers:
    """``headline`` in sentences, a matrix of rules and one of initializations, and ``summary``."""

    headline: tuple[str, ...]
    rules: Matrix
    laws: Matrix
    summary: tuple[tuple[str, str], ...]

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Those that ask anything."""
        return tuple(matrix for matrix in (self.rules, self.laws) if matrix.columns)


def void_controlled(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The verdicts, a yes made void where the rule's own placebo gets the same yes."""
    asked = {v.rule for v in verdicts}
    yes = {(v.part, v.topic, v.rule) for v in verdicts if v.answer == "yes"}
    found = []
    for v in verdicts:
        placebo = rules.placebo_of(v.rule, asked) if v.topic in CONTROLLED else None
        if v.answer == "yes" and placebo and (v.part, v.topic, placebo) in yes:
            why = f"void: {placebo}, its placebo, gets the same yes"
            v = replace(v, answer="undetermined", why=why)
        found.append(v)
    return found


def answer_study(parts: Sequence[Mapping[str, Any]], verdicts: Sequence[Verdict]) -> Answers:
    """The answers of these verdicts, which went through ``void_controlled``."""
    asked = dict.fromkeys(rule for part in parts for rule in part["rules"])
    about_rules = [v for v in verdicts if v.rule in asked]
    about_laws = [v for v in verdicts if v.rule.startswith(INITIALIZATION)]
    of_rules = make_matrix("rule", about_rules, list(asked))
    of_laws = make_matrix("initialization", about_laws)
    return Answers(
        tuple(tell_parts(parts, of_rules.columns, of_laws.columns)),
        of_rules,
        of_laws,
        summarize_verdicts(verdicts),
    )


def summarize_verdicts(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """A line per topic: every part's rules by answer."""
    lines: dict[str, dict[str, dict[str, list[str]]]] = {}
    for v in verdicts:
        answers = lines.setdefault(v.topic, {}).setdefault(v.part, {})
        answers.setdefault(v.answer, []).append(v.rule.removeprefix(INITIALIZATION))
    told = {
        topic: [
            f"{part}: "
            + ", ".join(f"{answer} ({', '.join(rules)})" for answer, rules in by.items())
            for part, by in parts.items()
        ]
        for topic, parts in lines.items()
    }
    return tuple((topic, "; ".join(said)) for topic, said in told.items())
