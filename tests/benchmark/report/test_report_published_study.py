"""The study of published accuracies alone: its job, its page, its answers on planted truth."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support import planted_published
from support.commands import environment
from support.planted_published import Accuracies

from benchmark.published.rate_classes import compute_multipliers
from benchmark.published.table import read_table
from benchmark.report.page import Page, build_published_page

JOB = Path(__file__).parents[3] / "jobs" / "published_ranks.py"


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", str(JOB), *arguments],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CIFAR-10: accuracy follows path-cubed's multiplier, and 12 epochs are another seed of 200.
    CIFAR-100: accuracy is chance, and 12 epochs rank otherwise. A third of the cells."""
    generator = np.random.default_rng(0)
    rate_A = np.nan_to_num(compute_multipliers()["path-cubed"], nan=1)
    rate_A[np.arange(len(rate_A)) % 3 > 0] = np.nan

    def noise() -> np.ndarray:
        return generator.normal(size=len(rate_A))

    values: Accuracies = {}
    for dataset, truth_A in {
        "cifar10": 0.9 - 0.3 * np.sqrt(rate_A) + 0.02 * noise(),
        "cifar100": 0.5 + 0.05 * noise() + 0 * rate_A,
    }.items():
        seeds = [truth_A + 0.01 * noise() for _ in range(4)]
        seeds[3] = seeds[3] if dataset == "cifar10" else 0.5 + 0.05 * noise() + 0 * rate_A
        values |= {(dataset, "test", 200, s): seeds[s] for s in range(3)}
        values[dataset, "test", 200, None] = np.mean(seeds[:3], axis=0)
        values[dataset, "test", 12, None] = seeds[3]
    table = planted_published.long_table({key: v.clip(0, 1) for key, v in values.items()})
    return planted_published.save(table, tmp_path_factory.mktemp("study") / "table.parquet")


@pytest.fixture(scope="module")
def out(published: Path) -> Path:
    """The written study."""
    folder = published.parent
    done = run("--published", str(published), folder=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "reports/published-ranks/index.html"
    return folder / "reports" / "published-ranks"


@pytest.fixture(scope="module")
def found(published: Path) -> Page:
    """The study's page, built here."""
    return build_published_page(read_table(published))


def test_the_answers_are_those_that_were_planted(found: Page) -> None:
    said = dict(found.summary)
    assert said["12 epochs as 200"] == "Published accuracies: yes (CIFAR-10), no (CIFAR-100)"
    assert "no (CIFAR-100)" in said["12 epochs as 200, top"]
    assert "no (CIFAR-10)" not in said["12 epochs as 200, top"]
    follows = said["Multiplier follows accuracy"]
    assert "path-cubed" in follows[follows.index("yes") :].partition("no (")[0]
    assert "shuffled" in follows[follows.index("no (") :].partition("yes")[0]
    carried = said["Rate classes carry ranks"]
    assert "path-cubed" in carried[carried.index("yes") :].partition("no (")[0]


def test_the_page_is_one_small_offline_file_with_its_numbers_beside_it(out: Path) -> None:
    text = (out / "index.html").read_text()
    assert len(text) < 2_000_000
    loaded = re.sub(r'<a href="https://arxiv\.org/abs/[\d.]+">', "", text)  # followed, not loaded
    assert not re.search(r'(src|href)="?(https?:)?//|url\(http', loaded)
    assert text.count("Warning: before any training") == 2  # the caption and the description
    assert "path-cubed" in text[text.index("Warning: before any training") :][:200]
    names = {path.stem for path in (out / "data").iterdir()}
    assert {"agreement", "agreement-by-k", "multipliers", "classes"} <= names
    points = (out / "data" / "accuracy-by-multiplier.csv").read_text().splitlines()
    assert len(points) == 1 + np.count_nonzero(~np.isnan(compute_multipliers()["path-cubed"][::3]))
    assert "<image" in (out / "figures" / "accuracy-by-multiplier.svg").read_text()


def test_the_same_table_gives_the_same_bytes(found: Page, out: Path) -> None:
    assert found.html.encode() == (out / "index.html").read_bytes()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_silent_and_fits_in_a_browser(out: Path, width: int) -> None:
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("Chromium is not installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox", "--disable-gpu"]
        )
        tab = browser.new_page(viewport={"width": width, "height": 900})
        heard: list[str] = []
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("request", lambda request: heard.append(request.url))
        address = (out / "index.html").as_uri()
        tab.goto(address, wait_until="networkidle")
        assert [each for each in heard if not each.startswith("data:")] == [address]
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


def test_without_seeds_there_is_a_page_and_no_ceiling(tmp_path: Path) -> None:
    value_A = np.random.default_rng(1).uniform(0.1, 0.9, 15_625)
    columns: Accuracies = {("cifar100", "test", epochs, None): value_A for epochs in (12, 200)}
    path = planted_published.save(planted_published.long_table(columns), tmp_path / "t.parquet")
    found = build_published_page(read_table(path))
    assert dict(found.summary)["12 epochs as 200"].endswith("undetermined (CIFAR-100)")
    assert "unknown, as no cell has two" in found.html


def refused(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    main = runpy.run_path(str(JOB))["main"]
    assert main([*arguments, "--out", str(folder / "page")]) == 2
    assert not (folder / "page").exists()
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    return error


def test_12_epochs_alone_are_nothing_to_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns: Accuracies = {("cifar10", "test", 12, None): np.full(15_625, 0.5)}
    path = planted_published.save(planted_published.long_table(columns), tmp_path / "t.parquet")
    error = refused(capsys, tmp_path, "--published", str(path))
    assert "t.parquet" in error
    assert "no 200-epoch test accuracies" in error


def test_bad_input_is_one_sentence_and_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--published" in refused(capsys, tmp_path)
    none = ("--published", str(tmp_path / "none.parquet"))
    assert "there is no such file" in refused(capsys, tmp_path, *none)
    assert "--epochs" in refused(capsys, tmp_path, *none, "--epochs", "3")


def test_help_says_what_it_is_for_and_what_it_costs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(JOB))["main"](["--help"])
    assert left.value.code == 0
    said = capsys.readouterr().out
    assert all(word in said for word in ("Purpose", "Cost", "Expect", "Command"))


def test_the_full_table_takes_at_most_a_minute_and_two_megabytes(tmp_path: Path) -> None:
    path = os.environ.get("PUBLISHED_TABLE")
    if path is None:
        pytest.skip("PUBLISHED_TABLE does not point to the full table")
    begin = time.monotonic()
    done = run("--published", str(Path(path).resolve()), "--out", "page", folder=tmp_path)
    assert done.returncode == 0
    assert time.monotonic() - begin < 60
    assert (tmp_path / "page" / "index.html").stat().st_size <= 2_000_000
