"""Results folders that are links, links to nothing, or on a disk that cannot be written."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import planted
from support.commands import rows_of

from benchmark import compact, export, job, merge, status
from benchmark.report.__main__ import main as report
from benchmark.store.results import Results
from benchmark.store.store import Store, StoreUnwritable


def rehearse(arguments: list[str]) -> int:
    return job.main(planted.study(seeds=2, parts="updates"), ["--dry-run", *arguments])


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    planted.write(tmp_path / "real", planted.study(seeds=2, parts="updates"))
    return tmp_path / "real"


def test_a_link_to_results_is_those_results(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("link").symlink_to(results)
    (results / "units").rename("elsewhere")
    (results / "units").symlink_to(Path("elsewhere").absolute())
    one, *_ = sorted((results / "units").iterdir())
    one.rename("kept")
    one.symlink_to(Path("kept").absolute())
    before = rows_of(results)
    assert status.main(["link"]) == 0
    assert status.main(["real"]) == 0
    first, second = capsys.readouterr().out.split("study ")[1:]
    assert first == second
    assert export.main(["link", "--out", "rows.csv"]) == 0
    assert len(Path("rows.csv").read_text().splitlines()) == len(before) + 1
    assert merge.main(["link", "real", "--out", "both"]) == 0
    assert rows_of("both") == before
    assert compact.main(["link"]) == 0
    assert (Path("link").is_symlink(), (results / "units").is_symlink()) == (True, True)
    assert rows_of("link") == rows_of(results) == before
    assert list((results / "units").iterdir()) == []
    assert Path("kept").exists()


@pytest.mark.parametrize("target", ["nowhere", "link", "nowhere/deeper"])
@pytest.mark.parametrize("below", ["", "/results"])
@pytest.mark.parametrize("write", [rehearse, lambda out: merge.main(["real", *out])])
def test_a_link_to_nothing_is_one_sentence(
    write: Callable[[list[str]], int],
    below: str,
    target: str,
    results: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("link").symlink_to(target)
    assert write(["--out", f"link{below}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: cannot ")
    assert str(results.with_name("link")) in said
    assert "link" in said.partition("(")[2]
    assert said.count("\n") == 1
    with pytest.raises(StoreUnwritable, match="link"):
        Store.open(f"link{below}", create=True)
    assert sorted(os.listdir()) == ["link", "real"]  # noqa: PTH208 -- links too


def test_a_folder_that_can_only_be_read(
    results: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    before, (damaged, *_) = rows_of(results), sorted((results / "units").iterdir())
    for options in (("--bind",), ("-o", "remount,bind,ro")):
        command = ["mount", *options, str(results), str(results)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            pytest.skip("a read-only folder needs the right to mount")
        if options == ("--bind",):
            request.addfinalizer(lambda: subprocess.run(["umount", str(results)], check=True))
    assert status.main(["real"]) == 0
    assert report(["real"]) == 0  # beside it
    assert export.main(["real", "--out", "rows.csv"]) == 0
    assert merge.main(["real", "--out", "copy"]) == 0
    assert rows_of("copy") == before
    capsys.readouterr()
    for write in (compact.main, rehearse, merge.main):
        arguments = {compact.main: ["real"], rehearse: ["--out", "real"]}
        assert write(arguments.get(write, ["copy", "--out", "real"])) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: cannot ")
        assert "(Read-only file system)" in said
        assert said.count("\n") == 1
    assert rows_of(results) == before
    subprocess.run(["mount", "-o", "remount,bind,rw", str(results)], check=True)
    os.truncate(damaged, 1000)
    subprocess.run(["mount", "-o", "remount,bind,ro", str(results)], check=True)
    found = Results.load("real")
    assert sum(count.missing for count in found.counts) == found.stuck == 1
    assert status.main(["real"]) == 0
    assert "1 damaged file was not read, and not set aside" in capsys.readouterr().out
    assert damaged.exists()
