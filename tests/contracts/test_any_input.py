"""Whatever is typed: exit code 0 or 2, one sentence, in bounded time; no command ends otherwise."""

import importlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.any_input import NUMBERS, PATHS, QUIET, TEXTS, check
from support.small_study import STUDY

from benchmark import job
from benchmark.command import COMMANDS
from benchmark.speed.growth.machinery import train_nothing
from benchmark.study.fields import list_field_types

LISTS = ("2,3", "3,2", "2,2", "1,100000000000", "nan,inf", "0.1,0.2", "0.1,", "a,b")
VALUES = st.sampled_from((*NUMBERS, *TEXTS, *LISTS))
FIELDS = sorted({field for part in STUDY.parts for field in list_field_types(part)})
OPTIONS = ("workers", "cpus", "gpus", "ranks", "unit-timeout", "scale", "qqqq")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative paths that are written to are written here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path))


dry_run = partial(job.main, STUDY, run=train_nothing)


@QUIET
@given(st.lists(st.tuples(st.sampled_from(FIELDS), VALUES), min_size=1, max_size=2))
def test_fields_of_a_study(
    capsys: pytest.CaptureFixture[str], given: list[tuple[str, str]]
) -> None:
    typed = [f"--{field}={value}" for field, value in given]
    check(dry_run, ["--dry-run", *typed], capsys)


@QUIET
@given(st.lists(st.tuples(st.sampled_from(OPTIONS), VALUES), min_size=1, max_size=2))
def test_options_of_a_job(capsys: pytest.CaptureFixture[str], given: list[tuple[str, str]]) -> None:
    typed = [f"--{option}={value}" for option, value in given]
    check(dry_run, ["--dry-run", *typed], capsys)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_of_a_study_with_every_extreme(
    field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in ("nan", "inf", "0", "-1", str(10**20), ""):
        check(dry_run, ["--dry-run", f"--{field}={value}"], capsys)


@pytest.mark.parametrize("path", PATHS)
def test_places_of_results(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(dry_run, ["--dry-run", f"--out={path}"], capsys)


@pytest.mark.parametrize("name", ["status", "compact", "report"])
@pytest.mark.parametrize("path", PATHS)
def test_results_that_are_read(name: str, path: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = importlib.import_module(COMMANDS[name][0]).main
    check(main, [path], capsys)
