"""Several studies on one page: the leaderboard, the list of studies, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from support import planted

from benchmark.analysis.intervals import Interval
from benchmark.findings.comparisons.leaderboard import compare_studies
from benchmark.findings.content import Table
from benchmark.findings.ladders.transfer import TOPIC
from benchmark.findings.parts import judge_study
from benchmark.report.__main__ import main
from benchmark.store.results import Results
from benchmark.study import Depth


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of reports with two studies of ladders, one of which has a page."""
    folder = tmp_path_factory.mktemp("reports")
    study = planted.study(parts="depth", seeds=2)
    (part,) = study.parts
    assert isinstance(part, Depth)
    part = replace(part, depths=(2, 4, 8), rules=("default", "effective-depth"))
    study = replace(study, parts=(part,))
    planted.write(folder / "first" / "results", study)
    planted.write(folder / "second" / "results", replace(study, name="other"))
    assert main([str(folder / "first")]) == 0
    return folder


def test_a_folder_of_reports_is_compared_and_listed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only effective-depth has the planted exponent."""
    assert main([str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Over 2 ladders, effective-depth loses least: ")
    page = (folder / "index.html").read_text()
    assert said.splitlines()[0] in page
    assert '<a href="first/index.html">planted</a>' in page
    assert "second/index.html" not in page
    ranked = page.split("excess loss</th>")[1].split("</tbody>")[0]
    assert ranked.count("<tr>") == 2
    assert ranked.index("effective-depth") < ranked.index("default")


def test_the_leaderboard_is_made_of_the_verdicts_of_the_studies_own_pages(folder: Path) -> None:
    """One judgment serves both: the losses are equal, and a part without verdicts is in neither."""
    first = Results.load(str(folder / "first" / "results"))
    verdicts, _ = judge_study(first, None)
    own = {v.rule: v.value.estimate for v in verdicts if v.topic == TOPIC and v.value}
    assert len(own) == 2
    _, blocks = compare_studies([first], [""])
    ranked, by_ladder = (item for item in blocks[0].items if isinstance(item, Table))
    told = {str(row[0]): row[2].estimate for row in ranked.rows if isinstance(row[2], Interval)}
    assert told == pytest.approx(own)
    (row,) = by_ladder.rows
    assert dict(zip(by_ladder.columns[1:], row[1:], strict=True)) == pytest.approx(own)
    (part,) = first.study["parts"]
    small = replace(first, study={**first.study, "parts": [{**part, "judged": False}]})
    told_of, blocks = compare_studies([small, first], ["", ""])
    assert told_of[0].startswith("Over 1 ladder, effective-depth loses least")
    (answers,) = (block.items[0] for block in blocks if block.section == "verdict")
    assert isinstance(answers, Table)
    assert {row[0] for row in answers.rows} == {v.rule for v in verdicts}
    assert len(answers.rows) == len(verdicts)


def test_a_part_that_cannot_be_judged_leaves_the_others_on_the_leaderboard(
    folder: Path,
) -> None:
    """A table that was edited may have a rate below zero."""
    first, second = (Results.load(str(folder / name / "results")) for name in ("first", "second"))
    rows = first.table.to_pylist()
    least = min(row["lr"] for row in rows)
    rows = [row | {"lr": -1.0} if row["lr"] == least else row for row in rows]
    edited = replace(first, table=pa.Table.from_pylist(rows, first.table.schema))
    verdicts, blocks = judge_study(edited, None)
    assert not verdicts
    assert "This part cannot be judged: " in str(blocks[0].items)
    told, _ = compare_studies([edited, second], ["", ""])
    assert told[0].startswith("Over 1 ladder, effective-depth loses least")


def test_what_cannot_be_compared_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = str(folder / "first" / "results")
    assert main([first, first, "--out", str(tmp_path)]) == 2
    assert "two of these are results of study 'planted'; give one" in capsys.readouterr().err
    assert main([str(folder), "--against", first]) == 2
    assert "--against and --published go with one results folder" in capsys.readouterr().err
