"""The command: its exit codes, its verdict, and what it says of planted truth."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from support import planted
from support.commands import environment

from benchmark.analysis.intervals import Interval
from benchmark.findings.answers.study import answer_study
from benchmark.findings.content import Architectures, Table
from benchmark.findings.ladders.arrays.curves import replace_diverged
from benchmark.findings.parts import judge_study
from benchmark.findings.ranking import rank_part
from benchmark.report.__main__ import main
from benchmark.report.delivery import find_place
from benchmark.report.page import build_page
from benchmark.store.results import Results
from benchmark.study import rate_grid


@cache
def answers(store: str) -> dict[tuple[str, str], str]:
    """Topic and rule to the answer that the page of a store gives."""
    found: dict[tuple[str, str], str] = {}
    results = Results.load(store)
    verdicts, _ = judge_study(results, None)
    for topic, told in answer_study(results.study["parts"], verdicts).summary:
        for answer, rules in re.findall(r"(yes|no|undetermined) \(([^)]*)\)", told):
            found |= {(topic, rule): answer for rule in rules.split(", ")}
    return found


def test_a_rule_that_truly_helps_gets_its_yes_and_a_placebo_its_no(helped: str) -> None:
    said = answers(helped)
    for topic in ("Ranking changes", "Accuracy rises", "Beats the placebo"):
        assert said[topic, "path-cubed"] == "yes"
    for topic in ("Ranking changes", "Accuracy rises"):
        assert said[topic, "shuffled"] == "no"


def test_depth_and_updates_say_what_was_planted(helped: str) -> None:
    said = answers(helped)
    for scheme in ("he", "residual-aware", "in-degree-target"):
        assert said["Best rate ~ depth^−3/2", scheme] == "yes"
    assert said["Loss near the best", "effective-depth"] == "yes"
    assert said["Step stays flat", "effective-depth"] == "yes"
    assert said["Step stays flat", "default"] == "no"


def test_another_rule_that_helps_is_the_one_named(tmp_path: Path) -> None:
    study = planted.study(parts="rank")
    said = answers(planted.write(tmp_path / "results", study, helps="effective-depth"))
    assert said["Accuracy rises", "effective-depth"] == "yes"
    assert said["Accuracy rises", "path-cubed"] == "no"


def test_one_seed_leaves_the_ranking_undetermined(tmp_path: Path) -> None:
    store = planted.write(tmp_path / "results", planted.study(seeds=1, parts="rank updates"))
    said = answers(store)
    for rule in ("effective-depth", "path-cubed", "shuffled"):
        assert said["Ranking changes", rule] == "undetermined"
    assert said["Step stays flat", "path-cubed"] == "undetermined"
    assert "One seed: there is no ceiling." in build_page(Results.load(store)).html


def test_a_grid_that_ends_too_low_is_censored_and_not_fitted(tmp_path: Path) -> None:
    study = planted.study(parts="depth", rates=rate_grid(1e-4, 1e-3, 5))
    store = planted.write(tmp_path / "results", study)
    said = answers(store)
    assert said["Best rate ~ depth^−3/2", "he"] == "undetermined"
    assert said["Loss near the best", "effective-depth"] == "undetermined"
    html = build_page(Results.load(store)).html
    assert "shown but not fitted: resnet-2 (he: " in html
    assert "the constant has no source." in html
    assert "fewer than 3 usable rungs" in html.lower()


def test_divergence_is_ranked_and_the_analysis_repeated_without(helped: str, page: Path) -> None:
    results = Results.load(helped)
    assert ", without diverged<" not in page.read_text()
    table = results.table
    rows = table.filter(pc.field("stage") == "rank").to_pylist()
    lost = rows[0]["architecture"]
    for row in rows:
        if row["architecture"] == lost and row["rule"] == "path-cubed":
            row |= {"status": "diverged", "test_accuracy": None}
    part = results.study["parts"][0]
    verdicts, blocks = rank_part.judge_rank_part(
        part,
        pa.Table.from_pylist(rows, table.schema),
    )
    agreement = next(item for item in blocks[0].items if "Agreement" in str(item))
    assert isinstance(agreement, Table)
    counts = {row[0]: row[3].n for row in agreement.rows if isinstance(row[3], Interval)}
    assert counts["path-cubed"] == 24
    assert counts["path-cubed, without diverged"] == 23
    (table_of_cells,) = next(block.items for block in blocks if block.section == "movers")
    assert isinstance(table_of_cells, Architectures)
    (lines,) = [each for each in table_of_cells.lines if each[0] == lost]
    (told,) = [line for line in lines if line.startswith("path-cubed")]
    assert "accuracy −∞%, – points, place 24.0" in told
    assert len(verdicts) == 7


def test_the_exponent_stands_against_blocks_and_without_diverged_replicas(page: Path) -> None:
    """Residual blocks of one kind: 2 layers and additions each, so the exponents are near."""
    html = page.read_text()
    cell = (
        r'<th scope="row">he</th><td>{}</td><td class="n">(−[\d.]+) <small>\[(−[\d.]+), (−[\d.]+)\]'
    )
    for depth in ("layers and additions", "against am-mup-blocks", "without diverged replicas"):
        found = re.search(cell.format(depth), html)
        assert found is not None, depth
        exponent, low, high = (float(each.replace("−", "-")) for each in found.groups())
        assert -1.6 < exponent < -1.1
        if depth != "against am-mup-blocks":
            assert low < -1.5 < high


def test_diverged_replicas_are_left_out_seed_by_seed() -> None:
    losses = np.array([[[1.0, 3.0, np.inf], [np.inf] * 3, [2.0, np.nan, 4.0]]])
    kept = replace_diverged(losses)
    assert kept[0, 0].tolist() == [1.0, 3.0, 2.0]
    assert np.isinf(kept[0, 1]).all()
    assert np.isnan(kept[0, 2, 1])


def test_other_measures_tell_the_same_story(page: Path) -> None:
    html = page.read_text()
    cells = r'<th scope="row">([\w-]+)</th><td>([^<]*tau|Spearman[^<]*|tau[^<]*)</td>(.*?)</tr>'
    deltas = {
        (rule, name): float(re.findall(r'class="n">([−\d.]+)', rest)[2].replace("−", "-"))
        for rule, name, rest in re.findall(cells, html)
    }
    assert len(deltas) == 9
    for (rule, name), delta in deltas.items():
        assert (delta > 0.2) == (rule == "path-cubed"), name
    assert "Regret at 2: accuracy lost" in html
    assert '<figure id="cells-top-tau">' in html


def test_the_terminal_gets_a_line_per_question_and_the_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = planted.write(tmp_path / "results", planted.study(seeds=2, sample=6))
    assert main([store, "--out", str(tmp_path / "new" / "page")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 8 + 1
    assert lines[-1] == str(tmp_path / "new" / "page" / "index.html")
    assert Path(lines[-1]).is_file()


def test_the_page_goes_beside_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("results", "mine"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "results")
    assert find_place(".", "study") == tmp_path
    monkeypatch.chdir(tmp_path)
    assert find_place("results", "study") == Path()
    assert find_place("mine/", "study") == Path("mine-report")
    assert find_place((tmp_path / "mine").as_uri(), "study") == tmp_path / "mine-report"
    assert find_place("s3://bucket/results", "study") == Path("reports/study")


def test_open_shows_the_page_in_the_users_browser(tmp_path: Path) -> None:
    """The browser is a program of ours that writes down what it was asked to show."""
    seen, program = tmp_path / "seen", tmp_path / "browser"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}\n')
    program.chmod(0o755)
    page = tmp_path / "page"
    store = planted.write(tmp_path / "results", planted.study(parts="updates"))
    command = [sys.executable, "-m", "benchmark.report", store, "--out", str(page), "--open"]
    done = subprocess.run(
        command, env=environment(BROWSER=str(program)), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert seen.read_text() == (page / "index.html").as_uri()


def test_an_incomplete_study_is_written_and_exits_3(
    unfinished: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([unfinished, "--out", str(tmp_path)]) == 3
    text = (tmp_path / "index.html").read_text()
    missing = "units, 3 are missing and 0 failed."
    assert missing in text[: text.index('id="verdict"')]
    assert missing in capsys.readouterr().out


def test_a_study_without_a_single_row_still_has_its_page(tmp_path: Path) -> None:
    store = planted.write(tmp_path / "results", planted.study(parts="depth updates"), leave_out=19)
    assert main([store, "--out", str(tmp_path / "page")]) == 3
    assert "No rung is done yet." in (tmp_path / "page" / "index.html").read_text()


def test_what_is_no_store_is_refused_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "page")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert str(tmp_path) in error
    assert error.count("\n") == 1
    assert not (tmp_path / "page").exists()


def test_an_unwritable_out_is_refused_in_one_sentence(
    helped: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("")
    assert main([helped, "--out", str(blocked / "page")]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: --out {blocked / 'page'} cannot be written")
    assert error.count("\n") == 1
