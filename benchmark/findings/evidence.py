"""What committed studies found of the rules on one kind of network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from benchmark import rules
from benchmark.analysis.thresholds import Answer
from benchmark.findings.answers.headline import join_names
from benchmark.findings.answers.networks import count_rungs
from benchmark.findings.answers.study import void_controlled
from benchmark.findings.parts import judge_part
from benchmark.findings.verdict import Verdict
from benchmark.models.network import NetworkKind, find_kind
from benchmark.store.results import Results
from search_spaces.registry import create

TOPICS: Final = {"depth": "Loss near the best", "rank": "Accuracy rises"}
"""The question of each kind of part that bears on which rate a network should get."""


@dataclass(frozen=True)
class Evidence:
    """One answer of one study about one rule: ``found`` has the numbers, their n and intervals.

    ``about`` says what was trained. ``current`` is false where the rule's numbers have changed
    since: the study then tested another rule of the same name.
    """

    study: str
    part: str
    about: str
    rule: str
    question: str
    answer: Answer
    found: str
    current: bool


def find_evidence(results: Iterable[Results], kind: NetworkKind, optimizer: str) -> list[Evidence]:
    """The answers of these studies about networks of that kind under that optimizer.

    Depth parts say what a rule's rates lose in training loss against the best that anything
    reached, on all rungs; rank parts whether test accuracy rises against the published rate.
    """
    found = []
    for each in results:
        verdicts: list[Verdict] = []
        parts = {}
        for part in each.study["parts"]:
            if _is_about(part, kind, optimizer):
                rows = each.table.filter(pc.field("part") == part["name"])
                parts[part["name"]] = (part, rows)
                verdicts += judge_part(part, rows)[0]
        for verdict in void_controlled(verdicts):
            part, rows = parts[verdict.part]
            if verdict.topic == TOPICS[part["kind"]]:
                found.append(_evidence(each.study["name"], part, rows, verdict, optimizer))
    return found


def _is_about(part: Mapping[str, Any], kind: NetworkKind, optimizer: str) -> bool:
    if part["kind"] not in TOPICS or part["recipe"]["optimizer"] != optimizer:
        return False
    space = create(part["space"], **part["options"])
    return find_kind(space.topology(space.base_architecture), space.name) == kind


def _evidence(
    study: str, part: Mapping[str, Any], rows: pa.Table, verdict: Verdict, optimizer: str
) -> Evidence:
    own = rows.filter(pc.field("rule") == verdict.rule)
    versions = set(own["rule_version"].to_pylist())
    present = rules.find(verdict.rule)
    return Evidence(
        study,
        part["name"],
        describe_networks(part),
        verdict.rule,
        verdict.question,
        verdict.answer,
        verdict.because or verdict.why,
        present is not None and versions == {present.version_for(optimizer)},
    )


def describe_networks(part: Mapping[str, Any]) -> str:
    """What a part trained, in a few words."""
    if part.get("depths"):
        return f"{part['space']} of {count_rungs(part)} on {part['dataset']}"
    return f"{part['sample'] or 'all'} of {part['space']} on {part['dataset']}"


def find_supported(evidence: Sequence[Evidence]) -> list[str]:
    """The rules with a yes and without a no, today's numbers alone."""
    answers: dict[str, set[Answer]] = {}
    for each in evidence:
        if each.current:
            answers.setdefault(each.rule, set()).add(each.answer)
    return [rule for rule, said in answers.items() if "yes" in said and "no" not in said]


def say_supported(evidence: Sequence[Evidence], names: Sequence[str], about: str) -> str:
    """One sentence: which of these rules the evidence supports, or that it supports none."""
    supported = [rule for rule in find_supported(evidence) if rule in names]
    if not supported:
        tested = [each.rule for each in evidence if each.rule in names]
        why = "no committed study tested them" if not tested else "no tested rule has a yes alone"
        return f"The evidence supports none of these rules on {about}: {why}."
    return f"On {about} the evidence supports {join_names(supported)}."


def load_committed(reports: Path) -> list[Results]:
    """The committed studies: the example and those under ``reference``, by name."""
    folders = [reports / "example" / "results", *sorted(reports.glob("reference/*/results"))]
    return [Results.load(str(folder)) for folder in folders if folder.is_dir()]
