"""A rank study beside published accuracies: what the page says of planted truth."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support import planted, planted_published

from benchmark.findings.content import Figure
from benchmark.findings.parts import judge_study
from benchmark.power.planted_truth import draw
from benchmark.published.rate_classes import compute_multipliers
from benchmark.published.table import read_table
from benchmark.report.__main__ import main
from benchmark.report.page import Page, build_page
from benchmark.store.results import Results
from search_spaces.nasbench201.cell import official_order, write

TRUTH_A = np.array([0.7 + 0.08 * draw(write(cell)) for cell in official_order()]).clip(0, 1)
"""What ``planted`` plants as the default's accuracy, without seed noise."""


def table(folder: Path, truth_A: np.ndarray, seeds: int = 3) -> Path:
    """CIFAR-10 accuracies of this truth, with a mean and seeds as noisy as the planted study's."""
    generator = np.random.default_rng(5)
    noisy = truth_A + 0.01 * generator.normal(size=(seeds, len(truth_A)))
    columns: planted_published.Accuracies = {("cifar10", "test", 200, None): truth_A}
    columns |= {("cifar10", "test", 200, seed): noisy[seed].clip(0, 1) for seed in range(seeds)}
    return planted_published.save(
        planted_published.long_table(columns), folder / "published.parquet"
    )


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A rank study in which path-cubed truly moves cells."""
    study = planted.study(sample=60, parts="rank")
    return planted.write(tmp_path_factory.mktemp("ranked") / "results", study, helps="path-cubed")


@pytest.fixture(scope="module")
def same(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published accuracies that rank as the study's default does."""
    return table(tmp_path_factory.mktemp("same"), TRUTH_A)


@pytest.fixture(scope="module")
def page(ranked: str, same: Path) -> Page:
    """The study beside them."""
    return build_page(Results.load(ranked), read_table(same))


def built(store: str, published: Path) -> tuple[Page, dict[str, str]]:
    """The page without its drawings, and its answers."""
    results, read = Results.load(store), read_table(published)
    verdicts, blocks = judge_study(results, read)
    told = [
        replace(block, items=[item for item in block.items if not isinstance(item, Figure)])
        for block in blocks
    ]
    page = build_page(results, read, found=(verdicts, told))
    return page, dict(page.summary)


def test_a_default_that_ranks_as_published_stands_for_it(page: Page) -> None:
    assert dict(page.summary)["Stands for 200 epochs"] == "cells: yes (default)"
    rows = page.tables["cells-published"].rows
    tau = {(row[0], row[1]): float(str(row[2])) for row in rows}
    assert tau["default", "CIFAR-10"] > 0.8
    assert tau["published", "two seeds, CIFAR-10, all cells"] > 0.85
    best = tau["published", "two seeds, CIFAR-10, top 1000"]
    assert best < tau["published", "two seeds, top by a third, CIFAR-10, top 1000"]
    assert "CIFAR-100" not in str(rows)


def test_a_default_that_ranks_otherwise_does_not(ranked: str, tmp_path: Path) -> None:
    dealt_A = np.random.default_rng(6).permutation(TRUTH_A)
    _, summary = built(ranked, table(tmp_path, dealt_A))
    assert summary["Stands for 200 epochs"] == "cells: no (default)"


def test_without_published_seeds_the_answer_is_undetermined(ranked: str, tmp_path: Path) -> None:
    page, summary = built(ranked, table(tmp_path, TRUTH_A, seeds=0))
    assert summary["Stands for 200 epochs"] == "cells: undetermined (default)"
    assert "no two seeds of these cells" in page.html


def test_the_rule_that_truly_moves_cells_moves_the_published_ranking_most(page: Page) -> None:
    moved = page.html[page.html.index("What each rule would move") :]
    found = {
        rule: [float(value.replace("−", "-")) for value in re.findall(r'class="n">([−\d.]+)', row)]
        for rule, row in re.findall(r'<th scope="row">([\w-]+)</th>(.*?)</tr>', moved, re.S)[:3]
    }
    helps, placebo = found["path-cubed"], found["shuffled"]
    assert helps[1] < -0.1 < placebo[1]  # agreement with the published ranking less the default's
    assert helps[2] < 0.8 < placebo[2]  # published, with the rule's changes added


def test_the_warning_names_the_rules_whose_multiplier_follows_accuracy(
    page: Page, ranked: str, tmp_path: Path
) -> None:
    assert "Warning: a multiplier" not in page.html
    rate_A = np.nan_to_num(compute_multipliers()["path-cubed"], nan=1)
    follows_A = 0.9 - 0.4 * rate_A + 0.05 * np.random.default_rng(8).normal(size=len(rate_A))
    warned, _ = built(ranked, table(tmp_path, follows_A.clip(0, 1)))
    (warning,) = re.findall(r"<p>(Warning: a multiplier.*?)</p>", warned.html)
    assert "path-cubed" in warning
    assert "shuffled" not in warning


def test_cells_that_were_never_published_are_said_to_be(ranked: str, tmp_path: Path) -> None:
    few_A = np.full(15_625, np.nan)
    few_A[:3] = 0.5
    page, summary = built(ranked, table(tmp_path, few_A, seeds=0))
    assert "Stands for 200 epochs" not in summary
    assert "cells have a published 200-epoch accuracy" in page.html


def test_the_command_takes_the_table_and_writes_the_same_bytes(
    ranked: str, same: Path, page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page"
    assert main([ranked, "--out", str(out), "--published", str(same)]) == 0
    assert "Stands for 200 epochs" in capsys.readouterr().out
    assert (out / "data" / "cells-published.csv").is_file()
    assert (out / "index.html").read_bytes() == page.html.encode()


def test_a_table_that_is_none_is_refused_before_anything_is_written(
    ranked: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page"
    assert main([ranked, "--out", str(out), "--published", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.startswith("error: published table")
    assert not out.exists()


def test_studies_of_other_spaces_are_left_as_they_are(tmp_path: Path, same: Path) -> None:
    store = planted.write(tmp_path / "results", planted.study(parts="updates"))
    results = Results.load(store)
    assert build_page(results, read_table(same)).html == build_page(results).html
