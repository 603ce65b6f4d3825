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
from benchmark.findings.answers.matrix import Column
from benchmark.findings.answers.study import Answers, answer_study, void_controlled
from benchmark.findings.answers.words import CANNOT_TELL, LAW_WORDS, TOLD_LAWS, WORDS
from benchmark.findings.content import title_name
from benchmark.findings.verdict import Verdict

RULES = ("default", "path-cubed", "shuffled", "effective-depth")
PARTS: list[dict[str, Any]] = [
    {"name": "cells", "space": "nasbench201", "sample": 24, "rules": RULES},
    {"name": "nets", "space": "resnet", "depths": (4, 64), "rules": RULES},
]
SCHEMES = ("he", "residual-aware")
ANSWERS: tuple[Answer, ...] = ("yes", "no", "undetermined")


@st.composite
def verdicts(draw: st.DrawFn) -> list[Verdict]:
    """Some answers of some rules in two parts, with and without an interval."""
    topics = draw(st.lists(st.sampled_from([*WORDS, "Another topic"]), min_size=1, unique=True))
    asked = [(topic, rule) for topic in topics for rule in RULES]
    asked += [(law, f"initialization {scheme}") for law in LAW_WORDS for scheme in SCHEMES]
    found = []
    for part in PARTS:
        for topic, name in draw(st.lists(st.sampled_from(asked), unique=True)):
            low = draw(st.floats(-1, 1))
            known = Interval(low + 0.1, low, low + 0.2, 9, "planted")
            value = draw(st.sampled_from([None, Interval.undetermined("one seed"), known]))
            told = draw(st.sampled_from(ANSWERS))
            stated = name != "initialization he" or part["name"] != "nets"
            head = (part["name"], topic, f"{topic}?", name, "", told, "", value)
            found.append(Verdict(*head, stated))
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
    columns = [column for matrix in answers.matrices for column in matrix.columns]
    entries = {
        (column.topic, column.part, name): entry
        for column in columns
        for name, entry in column.entries.items()
    }
    assert {key: entry.verdict.answer for key, entry in entries.items()} == summarized(answers)
    assert len(entries) == len(judged)
    assert {*answers.rules.rows, *answers.laws.rows} == {
        v.rule.removeprefix("initialization ") for v in judged
    }
    check_headline(answers, columns)


def check_headline(answers: Answers, columns: list[Column]) -> None:
    """Every part is named; what can be told is, with who was asked; what cannot is not."""
    assert len(answers.headline) <= 5
    text = " ".join(answers.headline)
    open_parts = answers.headline[-1] if "question open" in text else ""
    for part in {column.part for column in columns}:
        own = [column for column in columns if column.part == part]
        told = [
            c.stated
            for c in own
            if c.stated.told and (c.topic in TOLD_LAWS or c.topic not in LAW_WORDS)
        ]
        if any(column.told for column in own):
            assert title_name(part) not in open_parts
        else:
            assert title_name(part) in open_parts or not any(c.stated.entries for c in own)
        if told:
            (first, *_) = [each for each in answers.headline if f"({title_name(part)})" in each]
            assert any(is_told(first, part, column.entries) for column in told)
    for column in answers.laws.columns:
        if column.stated.told and column.topic in TOLD_LAWS:
            opening = [each for each in answers.headline if f"({title_name(column.part)})" in each]
            assert is_told(opening[0], column.part, column.stated.entries)


def is_told(sentence: str, part: str, entries: Any) -> bool:
    """Whether a sentence tells these entries."""
    pieces = []
    for name, entry in entries.items():
        if entry.word[0] == CANNOT_TELL:
            pieces += [name, " it cannot be told"]
        else:
            pieces += entry.word[2].split("{}")
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
    (column,) = answer_study(PARTS, judged).rules.columns
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
