"""Held against an older run: which conclusions changed, and what they rested on."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from support import planted

from benchmark.findings.comparisons.changes import compare_runs
from benchmark.findings.content import Block
from benchmark.findings.parts import judge_study
from benchmark.findings.verdict import Verdict
from benchmark.report.__main__ import main
from benchmark.report.page import build_page
from benchmark.store.results import Results


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same cells with one seed, and no rule that helps."""
    folder = tmp_path_factory.mktemp("short") / "results"
    return planted.write(folder, planted.study(seeds=1, parts="rank"))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Four seeds, and path-cubed helps."""
    folder = tmp_path_factory.mktemp("long") / "results"
    return planted.write(folder, planted.study(parts="rank"), helps="path-cubed")


@cache
def judged(store: str) -> tuple[Results, list[Verdict]]:
    results = Results.load(store)
    return results, judge_study(results, None)[0]


def compare(new: str, old: str) -> tuple[Block, list[str]]:
    """The page's section on an older run, without drawing the page."""
    return compare_runs(*judged(new), *judged(old))


def test_a_changed_conclusion_is_named_with_its_intervals_and_its_reasons(
    long: str, short: str
) -> None:
    _, changes = compare(long, short)
    (ranking,) = [line for line in changes if "Ranking changes, path-cubed" in line]
    assert ranking.startswith("cells, Ranking changes, path-cubed: undetermined became yes (")
    assert "(undetermined: one seed: there is no ceiling) → " in ranking
    assert "n\u00a0=\u00a024" in ranking
    assert "cells seeds 1 → 4" in ranking
    (accuracy,) = [line for line in changes if "Accuracy rises, path-cubed" in line]
    assert "undetermined became yes" in accuracy
    _, told = compare(short, long)
    assert any("yes became undetermined" in line and "seeds 4 → 1" in line for line in told)


def test_every_conclusion_stands_in_the_table_and_a_new_part_is_counted(
    helped: str, long: str
) -> None:
    page = build_page(Results.load(helped), old=Results.load(long))
    counted = page.changes[0]
    assert counted.startswith("0 of 7 conclusions changed;")
    section = page.html[page.html.index('<section id="against"') :]
    assert "cells, Beats the placebo, path-cubed" in section
    assert counted in section


def test_against_itself_nothing_changes(long: str, page: Path) -> None:
    block, changes = compare(long, long)
    assert changes[0].startswith("0 of 7 conclusions changed; 0 are new, 0 are gone.")
    assert "The runs have the same fields, versions and numbers of replicas." in str(block.items)
    assert 'id="against"' not in page.read_text()


def test_the_terminal_gets_the_changes(
    long: str, short: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([long, "--out", str(tmp_path), "--against", short]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "  against " in line]
    assert any("undetermined became yes" in line for line in lines)


def test_an_older_run_that_is_none_is_refused(
    long: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([long, "--out", str(tmp_path / "page"), "--against", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert main([long, "--agains"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "page").exists()
