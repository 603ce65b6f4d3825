"""Every job file: what it says of itself, its plan at full size, its smoke scale for real."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from support.commands import environment
from support.job_files import FILES, UNTRAINED, module
from support.planted_units import planted_provenance

from benchmark import job
from benchmark.datasets.names import PUBLISHED, parse_name
from benchmark.engine import costs, engine
from benchmark.plan.planner import plan
from benchmark.report.__main__ import main as report
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.store import Store
from benchmark.study import Depth, Rank, Study, Updates
from benchmark.study.unit import Unit
from search_spaces.registry import create

ROOT = Path(__file__).parents[2]
FULL = [name for name in FILES if name != UNTRAINED]
SCALED = [name for name in FULL if name != "quickstart"]
SHAPES = {"digits": (1, 8, 8), "cifar10": (3, 32, 32), "cifar100": (3, 32, 32)}
SHAPES["imagenet16-120"] = (3, 16, 16)
SHAPES["imagefolder:data/imagenet?size=224"] = (3, 224, 224)
CLASSES = {"imagenet16-120": 120, "imagefolder:data/imagenet?size=224": 1000}


def study(name: str, scale: str = "STUDY") -> Study:
    found = getattr(module(name), scale)
    assert isinstance(found, Study)
    return found


def on(dataset: str, whole: Study) -> Study:
    return replace(whole, parts=tuple(replace(part, dataset=dataset) for part in whole.parts))


def with_steps(whole: Study, images: int = 40_000) -> Study:
    """As many steps as an epoch of so many images has, where steps are not capped anyway."""
    parts = []
    for part in whole.parts:
        recipe = part.recipe
        steps = recipe.steps or recipe.epochs * (images // recipe.batch)
        capped = replace(recipe, epochs=1, steps=steps, rate_per_epoch=False)
        parts.append(replace(part, recipe=capped))
    return replace(whole, parts=tuple(parts))


def with_quick_traces(whole: Study) -> Study:
    """Of torchvision's networks the two smallest: tracing the others takes seconds for each."""
    parts = []
    for part in whole.parts:
        if part.space == "torchvision":
            assert isinstance(part, Depth)
            part = replace(part, depths=part.depths[:2])
        parts.append(part)
    return replace(whole, parts=tuple(parts))


def first_units(whole: Study) -> list[Unit]:
    """The units that are known before anything is trained."""
    return [unit for stage in plan(whole, lambda _: None) for unit in stage.units or ()]


@pytest.mark.parametrize("name", FILES)
def test_a_job_opens_with_purpose_cost_expectation_and_command(name: str) -> None:
    text = module(name).__doc__ or ""
    title, _, rest = text.partition("\n\n")
    assert title
    assert "\n" not in title
    assert re.findall(r"^(\w+) ", rest, re.M) == ["Purpose", "Cost", "Expect", "Command"]
    assert f"python jobs/{name}.py" in text
    assert FILES[name].read_text().startswith('"""')


@pytest.mark.parametrize("name", FULL)
def test_a_study_is_named_as_its_file(name: str) -> None:
    assert study(name).name == name


@pytest.mark.parametrize("name", SCALED)
def test_the_smoke_scale_is_another_study_on_digits(name: str) -> None:
    smoke = study(name, "SMOKE")
    assert smoke.name == f"{name}-smoke"
    assert smoke.question == study(name).question
    assert {part.dataset for part in smoke.parts} == {"digits"}
    assert {part.kind for part in smoke.parts} == {part.kind for part in study(name).parts}


@pytest.mark.parametrize("name", [name for name in SCALED if hasattr(module(name), "LAPTOP")])
def test_the_laptop_scale_asks_the_same_of_the_same_images_in_less_than_half_the_steps(
    name: str,
) -> None:
    laptop, full = study(name, "LAPTOP"), study(name)
    assert laptop.name == f"{name}-laptop"
    assert laptop.question == full.question
    assert {part.dataset for part in laptop.parts} <= {part.dataset for part in full.parts}
    small, large = (
        sum(map(costs.estimate_cost, first_units(with_steps(on("digits", each)))))
        for each in map(with_quick_traces, (laptop, full))
    )
    assert 0 < small < large / 2


@pytest.mark.parametrize("name", FULL)
def test_the_full_study_plans_and_its_networks_can_be_built(name: str) -> None:
    """Planned with digits in place of its data set, which need not be here; built on no device."""
    full = with_quick_traces(study(name))
    units = first_units(on("digits", full))
    assert units
    for part in full.parts:
        assert isinstance(part, Rank | Depth | Updates)
        architectures = part.architectures()
        space = create(part.space, **part.options)
        with torch.device("meta"):
            for architecture in {architectures[0], architectures[-1]}:
                classes = CLASSES.get(part.dataset, 10)
                space.build(architecture, 1, SHAPES[part.dataset], classes)


@pytest.mark.parametrize("name", [name for name in SCALED if name != "one_step_updates"])
def test_without_its_data_a_job_says_where_to_put_them(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wanted = [part.dataset for part in study(name).parts]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "nowhere"))
    for arguments in ([], ["--dry-run"]):
        assert job.main(study(name), arguments) == 2
        error = capsys.readouterr().err
        called = wanted[0] if wanted[0] in PUBLISHED else parse_name(wanted[0]).absolute
        assert error.startswith(f"error: dataset {called}: ")
        published = f"python -m benchmark.datasets download {wanted[0]}"
        assert (published if wanted[0] in PUBLISHED else "put train and val there") in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("name", SCALED)
def test_every_smoke_part_trains(name: str) -> None:
    """Its shallowest and deepest unit, two replicas of each, for an epoch of few steps."""
    for part in study(name, "SMOKE").parts:
        units = first_units(Study(name="one", question="", parts=(part,)))
        for unit in {unit.architecture: unit for unit in (units[0], units[-1])}.values():
            recipe = replace(unit.recipe, epochs=1)
            if recipe.steps:
                recipe = replace(recipe, steps=min(recipe.steps, 4))
            elif unit.measure == "training":
                recipe = replace(recipe, batch=128)
            replicas = (unit.replicas[0], unit.replicas[-1])
            short = replace(unit, replicas=replicas, recipe=recipe)
            for row in engine.run(short):
                assert row["status"] in ("done", "diverged")
                assert row["initial_loss"] is None or row["initial_loss"] > 0


def carry_out(whole: Study, store: Store) -> None:
    """What a job does, in this process and without Ray."""
    while True:
        stages = plan(whole, store.read)
        store.write_manifest(make_manifest(whole, stages))
        done = store.done()
        todo = [unit for stage in stages for unit in stage.units or () if unit.id not in done]
        if not todo:
            return
        for unit in todo:
            store.write(unit, engine.run(unit), planted_provenance())


@pytest.mark.slow
def test_a_sample_of_dags_ends_in_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smoke = study("chen2024_mlp_dags", "SMOKE")
    assert isinstance(smoke.parts[0], Depth)
    whole = replace(smoke, parts=(replace(smoke.parts[0], sample=4),))
    store = Store.open(str(tmp_path / "results"), create=True)
    carry_out(whole, store)
    assert report([str(tmp_path / "results"), "--out", str(tmp_path / "report")]) == 0
    said = capsys.readouterr().out
    assert whole.question in said
    page = (tmp_path / "report/index.html").read_text()
    (part,) = whole.parts
    assert isinstance(part, Depth)
    for architecture in part.architectures():
        assert architecture.replace("_", "_<wbr>") in page or architecture in page
    (slopes,) = (tmp_path / "report/data").glob("*-slope.csv")
    assert ",in-degree-target," in slopes.read_text()  # not taken for its base rung's scheme


@pytest.mark.slow
@pytest.mark.ray
def test_a_smoke_study_runs_from_its_command_to_its_report(tmp_path: Path) -> None:
    out = str(tmp_path / "results")
    variables = environment(DATA_DIR=str(tmp_path / "nowhere"))
    short = ["--depths", "1,3,6", "--epochs", "1", "--transfer", "false", "--neighbours", "false"]
    ran = subprocess.run(
        [
            sys.executable,
            str(FILES["chen2024_mlp_depth"]),
            "--scale",
            "smoke",
            "--out",
            out,
            *short,
        ],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert Store.open(out).manifest()["study"]["name"] == "chen2024_mlp_depth-smoke"
    assert report([out, "--out", str(tmp_path / "report")]) == 0
    full = subprocess.run(
        [sys.executable, str(FILES["chen2024_mlp_depth"]), "--out", out, "--dataset", "digits"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 2
    assert "the results of study 'chen2024_mlp_depth-smoke', not of" in full.stderr


def test_an_unknown_scale_is_one_sentence_and_help_names_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    full, smoke = study("horizon"), study("horizon", "SMOKE")
    assert job.main(full, ["--scale", "tiny"], scales={"smoke": smoke}) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: argument --scale: invalid choice: 'tiny'")
    assert "smoke" in error
    assert error.count("\n") == 1
    assert job.main(full, ["--scale", "smoke"]) == 2
    assert "invalid choice: 'smoke'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        job.main(full, ["--help"], scales={"smoke": smoke})
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert "--scale {full,smoke}" in shown
    assert "python jobs/horizon.py" in shown


def test_a_rehearsal_at_a_scale_is_of_that_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full, smoke = study("one_step_updates"), study("one_step_updates", "SMOKE")
    arguments = ["--scale", "smoke", "--dry-run", "--out", str(tmp_path / "out")]
    assert job.main(full, [*arguments, "--depths", "1,2"], scales={"smoke": smoke}) == 0
    assert "study one_step_updates-smoke: nothing is run" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
