"""Headline, matrix and summary come from one function: they say the same of every verdict."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.analysis.intervals import Interval
from benchmark.analysis.thresholds import Answer
from benchmark.findings.answers import WORDS, Answers, answer_study, void_controlled
from benchmark.findings.content import title_name
from benchmark.findings.verdict import Verdict

RULES = ("default", "path-cubed", "shuffled", "effective-depth")
PARTS: list[dict[str, Any]] = [
    {"name": "cells", "space": "nasbench201", "sample": 24, "rules": RULES},
    {"name": "nets", "space": "resnet", "depths": (4, 64), "rules": RULES},
]
ANSWERS: tuple[Answer, ...] = ("yes", "no", "undetermined")


@st.composite
def verdicts(draw: st.DrawFn) -> list[Verdict]:
    """Some answers of some rules in two parts, with and without an interval."""
    topics = draw(st.lists(st.sampled_from([*WORDS, "Another topic"]), min_size=1, unique=True))
    found = []
    for part in PARTS:
        for topic in topics:
            for rule in draw(st.lists(st.sampled_from(RULES), unique=True)):
                low = draw(st.floats(-1, 1))
                value = draw(
                    st.sampled_from(
                        [
                            None,
                            Interval.undetermined("one seed"),
                            Interval(low + 0.1, low, low + 0.2, 9, "planted"),
                        ]
                    )
                )
                told = draw(st.sampled_from(ANSWERS))
                found.append(Verdict(part["name"], topic, f"{topic}?", rule, "", told, "", value))
    return found


def summarized(answers: Answers) -> dict[tuple[str, str, str], str]:
    """(topic, part, rule) to the answer, as the summary's lines say it."""
    found: dict[tuple[str, str, str], str] = {}
    for topic, line in answers.summary:
        for part, told in re.findall(r"(cells|nets): ((?:\w+ \([^)]*\)(?:, )?)+)", line):
            for said, names in re.findall(r"(\w+) \(([^)]*)\)", told):
                found |= {(topic, part, name): said for name in names.split(", ")}
    return found


@given(verdicts())
def test_headline_matrix_and_summary_agree(drawn: list[Verdict]) -> None:
    judged = void_controlled(drawn)
    answers = answer_study(PARTS, judged)
    entries = {
        (column.topic, column.part, rule): entry
        for column in answers.columns
        for rule, entry in column.entries.items()
    }
    assert {key: entry.verdict.answer for key, entry in entries.items()} == summarized(answers)
    assert len(entries) == len(judged)
    assert set(answers.rules) == {v.rule for v in judged}
    asked = {column.part for column in answers.columns}
    assert len(answers.headline) == min(5, len(answers.columns))
    assert all(f"({title_name(part)})" in "".join(answers.headline) for part in asked)
    for sentence in answers.headline:
        (column,) = [c for c in answers.columns if is_told(sentence, c.part, c.entries)][:1]
        for rule, entry in column.entries.items():
            clause = entry.word[2].partition("{}")
            assert rule in sentence
            assert clause[0] in sentence
            assert clause[2] in sentence


def is_told(sentence: str, part: str, entries: Any) -> bool:
    """Whether a sentence tells these entries."""
    pieces = [piece for entry in entries.values() for piece in entry.word[2].split("{}")]
    return f"({title_name(part)})" in sentence and all(piece in sentence for piece in pieces)


@pytest.mark.parametrize("topic", ["Ranking changes", "Accuracy rises"])
@pytest.mark.parametrize("placebo", ["yes", "no", "undetermined"])
def test_a_yes_is_void_where_the_rules_own_placebo_gets_it_too(topic: str, placebo: Answer) -> None:
    value = Interval(0.2, 0.1, 0.3, 24, "planted")
    told: dict[str, Answer] = {"path-cubed": "yes", "shuffled": placebo, "effective-depth": "yes"}
    judged = void_controlled(
        [Verdict("cells", topic, "?", rule, "", said, "", value) for rule, said in told.items()]
    )
    by_rule = {v.rule: v for v in judged}
    assert (by_rule["path-cubed"].answer == "undetermined") == (placebo == "yes")
    assert by_rule["effective-depth"].answer == "yes"  # it has no placebo here
    assert by_rule["shuffled"].answer == placebo
    (column,) = answer_study(PARTS, judged).columns
    if placebo == "yes":
        assert column.entries["path-cubed"].word[0] == "void"
        assert "shuffled" in by_rule["path-cubed"].why


def test_the_page_opens_with_the_answer_its_matrix_and_a_figure(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    opening = text[text.index('<section id="answer"') : text.index('<section id="verdict"')]
    assert 2 <= opening.count('<p class="answered">') <= 5
    assert "test accuracy rises under path-cubed" in opening
    assert '<td class="good"><b>helps</b>' in opening
    assert opening.count("<figure ") == 2
    assert opening.index("answered") < opening.index("<table") < opening.index("<figure ")
