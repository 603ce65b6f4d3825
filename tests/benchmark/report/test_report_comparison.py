"""Several studies on one page: the leaderboard, the list of studies, and what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
from support import planted

from benchmark.report.__main__ import main
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


def test_what_cannot_be_compared_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = str(folder / "first" / "results")
    assert main([first, first, "--out", str(tmp_path)]) == 2
    assert "two of these are results of study 'planted'; give one" in capsys.readouterr().err
    assert main([str(folder), "--against", first]) == 2
    assert "--against and --published go with one results folder" in capsys.readouterr().err
