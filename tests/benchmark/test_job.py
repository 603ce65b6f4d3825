"""The job command line: fields, bad input, the rehearsal. What needs no Ray."""

import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from support.commands import environment
from support.networks import TRANSFORMER
from support.planted_units import planted_manifest
from support.small_study import STUDY

from benchmark import job
from benchmark.datasets import catalog
from benchmark.store.store import Store
from benchmark.study import Depth, Rank, Study, Updates
from benchmark.study.fields import override_fields, read_assignments
from benchmark.study.recipe import Recipe
from search_spaces import registry
from search_spaces.command import report_uncaught
from search_spaces.registry import create, option_types

RANK = Rank(name="all", space="mlp", rules=("default",), rates=(0.1, 0.2))


def parts_with(*arguments: str) -> tuple[Rank, Depth, Updates]:
    cells, rungs, steps = override_fields(STUDY, list(read_assignments(arguments))).parts
    assert isinstance(cells, Rank)
    assert isinstance(rungs, Depth)
    assert isinstance(steps, Updates)
    return cells, rungs, steps


def test_no_fields_leave_the_study_as_it_is() -> None:
    assert parts_with() == STUDY.parts


def test_a_field_is_set_in_every_part_that_has_it() -> None:
    cells, rungs, steps = parts_with("--seeds", "3", "--rates", "0.1,0.2", "--depths=3,5")
    assert (cells.seeds, rungs.seeds, steps.seeds) == (3, 3, 3)
    assert cells.rates == rungs.rates == (0.1, 0.2)
    assert rungs.depths == steps.depths == (3, 5)


def test_recipe_fields_are_set_together_and_the_rest_kept() -> None:
    parts = parts_with("--nesterov", "true", "--momentum", "0.9")
    assert [part.recipe for part in parts] == [
        replace(part.recipe, momentum=0.9, nesterov=True) for part in STUDY.parts
    ]


def test_a_field_of_one_part_is_named_with_its_part() -> None:
    cells, rungs, steps = parts_with("--cells.sample", "none", "--rungs.epochs", "2")
    assert cells.sample is None
    assert (cells.recipe.epochs, rungs.recipe.epochs, steps.recipe.epochs) == (1, 2, 1)


def test_options_of_a_space_are_fields_with_their_own_type() -> None:
    cells, rungs, _ = parts_with("--channels", "3", "--width", "6")
    assert cells.options == {"channels": 3, "cells": 1}
    assert rungs.options == {"width": 6}


OPTIONS = [(space, *option) for space in registry.names() for option in option_types(space).items()]


@pytest.mark.parametrize(("space", "option", "kind"), OPTIONS)
def test_an_option_is_typed_by_its_space_whether_or_not_the_job_names_it(
    space: str, option: str, kind: Any
) -> None:
    """Every option of every space, at its default and at another value, as it is typed."""
    default = getattr(create(space), option)
    other = {"kernel": 5, "heads": 16, "width": 12, "factory": TRANSFORMER, "source": "9"}.get(
        option, 9
    )
    choices = (
        get_args(kind)
        or {bool: (False, True), int: (default, other), float: (0, 0.25), str: (default, other)}[
            kind
        ]
    )
    for value in choices:
        for named in ({}, {option: default}):
            part = replace(RANK, space=space, options=named)
            study = Study(name="small", question="?", parts=(part,))
            (given,) = override_fields(study, [(option.replace("_", "-"), str(value))]).parts
            assert given.options == {option: value}
            assert type(given.options[option]) is type(default)


def test_no_option_is_named_as_a_field_of_a_part_or_a_recipe() -> None:
    taken = {field.name for kind in (Rank, Depth, Updates, Recipe) for field in fields(kind)}
    assert not taken & {option for _, option, _ in OPTIONS}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--dropout a", "field --dropout: 'a' is not a number; give one"),
        ("--dropout 1", "dropout=1.0 is not in [0, 1)"),
        ("--rungs.normalization gn", "'gn' is not known; use one of none, bn, ln"),
        ("--normalisation bn", "no field --normalisation; did you mean --normalization"),
        ("--cells.dropout 0.1", "no field --cells.dropout; did you mean"),
        ("--width 6.5", "field --width: '6.5' is not a whole number; give one"),
        ("--epoch 2", "study small has no field --epoch; did you mean --epochs,"),
        ("--cells.depths 2,3", "no field --cells.depths; did you mean"),
        ("--qqqq 1", "no field --qqqq; see --help"),
        ("--name other", "no field --name;"),
        ("--epochs two", "field --epochs: 'two' is not a whole number"),
        ("--rates 0.1,high", "field --rates: 'high' is not a number"),
        ("--nesterov maybe", "field --nesterov: 'maybe' is neither true nor false"),
        ("--precision float8", "field --precision: 'float8' is not known; use one of float32,"),
        ("--epochs 0", "recipe field epochs=0"),
        ("--rates 0.2,0.1", "part cells: field rates[1]=0.1 is not above the one before it, 0.2;"),
        ("--depths 3", "part rungs: field depths=[3]; give two or more"),
        ("--rules nosuch", "unknown rule 'nosuch'"),
        (
            "--rules shuffled:nosuch",
            "rule 'shuffled:nosuch': 'nosuch' is neither a rule nor a form",
        ),
        ("--steps 10 --epochs 3", "steps=10 and epochs=3 both end training; give one of them"),
        ("--rungs.widths 4,8", "field widths stands beside the option width; give one of them"),
        (
            "--rungs.criterion last",
            "field --rungs.criterion: 'last' is not known; use one of last-",
        ),
        ("--cells.space nosuch", "unknown space 'nosuch'"),
        ("--channels -1", "channels=-1"),
        ("--epochs", "field --epochs has no value"),
        ("--epochs --seeds 1", "field --epochs has no value"),
        ("12", "argument '12' has no field name; write --FIELD VALUE"),
        ("--workers 0", "--workers 0: give 1 to 10,000"),
        ("--workers two", "argument --workers: invalid int value: 'two'"),
        ("--out", "argument --out: expected one argument"),
        ("--out nosuch://bucket", "nosuch://bucket is no place that pyarrow opens"),
        ("--out /dev/null/out", "cannot write /dev/null/out"),
        ("--dry-run --out /dev/null/out", "cannot write /dev/null/out"),
        ("--dry-run --out /proc/nowhere/out", "cannot write /proc/nowhere/out"),
        (f"--dry-run --out nowhere/{'a' * 300}", "File name too long"),
        (f"--dry-run --out {'a/' * 2500}", "File name too long"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert job.main(STUDY, arguments.split()) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sentence in error
    assert list(tmp_path.iterdir()) == []


def test_widths_of_a_space_without_widths_are_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = Depth(
        name="rungs",
        space="torchvision",
        options={"family": "resnet"},
        rules=("tuned-constant",),
        seeds=1,
        depths=(18, 34),
        rates=(0.1, 0.2),
        dataset="digits",
    )
    monkeypatch.chdir(tmp_path)
    study = Study(name="wide", question="?", parts=(part,))
    assert job.main(study, ["--dry-run", "--widths", "4,8"]) == 2
    sentence = "space torchvision has no option width; leave widths out"
    assert capsys.readouterr().err == f"error: part rungs: field widths: {sentence}\n"
    assert list(tmp_path.iterdir()) == []


def test_results_of_another_study_are_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Store.open(str(tmp_path), create=True).write_manifest(planted_manifest([], name="other"))
    before = (tmp_path / "study.json").read_bytes()
    for arguments in ([], ["--dry-run"]):
        assert job.main(STUDY, ["--out", str(tmp_path), *arguments]) == 2
        error = capsys.readouterr().err
        assert "the results of study 'other', not of 'small'; name another folder" in error
    assert (tmp_path / "study.json").read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["--out", "here"], ["--dry-run"]])
def test_inside_a_ray_job_a_relative_place_is_refused_with_the_reason(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(job.IN_RAY_JOB, "{}")
    assert job.main(STUDY, arguments) == 2
    assert "is relative, and a Ray job runs in a copy" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_variable_that_marks_a_ray_job_is_rays() -> None:
    from ray._private.runtime_env.constants import RAY_JOB_CONFIG_JSON_ENV_VAR

    assert job.IN_RAY_JOB == RAY_JOB_CONFIG_JSON_ENV_VAR


def test_a_rehearsal_counts_what_would_run_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.main(STUDY, ["--dry-run", "--out", str(tmp_path / "out")]) == 0
    said = [line.split() for line in capsys.readouterr().out.splitlines()]
    lines = {words[0]: words for words in said if words}
    images = round(len(catalog.load("digits").y_train) * (1 - Recipe().validation))
    assert lines["rungs"][3:] == ["3", "0", "18", str(18 * (images // 256))]
    assert lines["steps"][3:] == ["2", "0", "2", "2"]
    assert lines["8"][:4] == ["8", "units", "to", "run,"]
    assert list(tmp_path.iterdir()) == []


def test_help_names_the_fields_of_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        job.main(STUDY, ["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert STUDY.question in shown
    assert "  rungs: space, rules, seeds, dataset, judged, depths, widths, rates" in shown
    assert "  steps: space, rules, seeds, dataset, judged, depths, width" in shown
    assert "epochs" in shown


def test_bad_input_in_the_job_file_itself_is_a_sentence_too(tmp_path: Path) -> None:
    file = tmp_path / "wrong.py"
    file.write_text(
        "from dataclasses import replace\n"
        "from benchmark import job\n"
        "from support.small_study import CELLS\n"
        "STUDY = replace(CELLS, rules=('nosuch',))\n"
    )
    ended = subprocess.run(
        [sys.executable, str(file)], env=environment(), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: unknown rule 'nosuch'")
    assert ended.stderr.count("\n") == 1


ASKS = """
import signal, sys
from benchmark import job
print(sys.excepthook is sys.__excepthook__, signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.mark.parametrize(
    ("command", "untouched"),
    [
        (["asks.py"], False),
        (["-m", "asks"], True),
        (["-c", "import asks"], True),
        (["-i", "asks.py"], True),
        (["imports_it.py"], True),
    ],
)
def test_only_a_file_that_runs_as_a_job_changes_the_hook_and_the_signals(
    command: list[str], untouched: bool, tmp_path: Path
) -> None:
    """A module of somebody else, a shell and a notebook are left alone, and so are these tests."""
    assert sys.excepthook is not report_uncaught
    (tmp_path / "asks.py").write_text(ASKS)
    (tmp_path / "imports_it.py").write_text("import asks")
    ended = subprocess.run(
        [sys.executable, *command],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    assert ended.stdout == f"{untouched} {untouched}\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_dry_run_promises_no_time_of_a_gpu_that_is_not_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert job.main(STUDY, ["--dry-run", "--gpus", "1"]) == 2
    said = capsys.readouterr()
    assert "about" not in said.out
    assert said.err == (
        "error: a shard is to train on 1 GPU, and PyTorch sees none on this machine, where a dry "
        "run times a unit; install a build of PyTorch for its driver, or give --gpus 0 to train on "
        "cores\n"
    )
