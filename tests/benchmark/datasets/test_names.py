"""One set of images has one name in results, however it is spelled and wherever it lies."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console

from benchmark.datasets import catalog
from benchmark.datasets.names import NAMES, Name, parse_name
from benchmark.engine import engine
from benchmark.plan.planner import plan
from benchmark.report.__main__ import main as report
from benchmark.store import provenance
from benchmark.store.formats.manifest import make_manifest
from benchmark.store.store import Store
from benchmark.study import Depth, Study
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Unit
from benchmark.sweep.former_units import adopt_former_units
from benchmark.sweep.rehearsal import Machine, rehearse
from benchmark.sweep.resources import Resources
from search_spaces.errors import InvalidInput

SECRET = "confidential-customer"
"""A part of the user's path that no published file may hold."""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's folder, with an .npz and a folder of photographs of the same 64 images."""
    folder = tmp_path / SECRET
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("DATA_DIR", raising=False)
    write_images(folder)
    catalog.load_named.cache_clear()
    yield folder
    catalog.load_named.cache_clear()


def write_images(folder: Path) -> None:
    i = np.arange(64 * 8 * 8 * 3, dtype=np.int64)
    x = ((i * i * 7919 + i * 104729) % 256).astype(np.uint8).reshape(64, 8, 8, 3)
    y = np.arange(64) % 4
    np.savez(folder / "x.npz", x_train=x[:48], y_train=y[:48], x_test=x[48:], y_test=y[48:])
    for part, some in (("train", range(48)), ("val", range(48, 64))):
        for number in some:
            home = folder / "photos" / part / str(y[number])
            home.mkdir(parents=True, exist_ok=True)
            Image.fromarray(x[number]).save(home / f"{number}.bmp")


def study(dataset: str) -> Study:
    part = Depth(
        name="d",
        space="mlp",
        options={"width": 4},
        rules=("tuned-constant",),
        seeds=1,
        dataset=dataset,
        depths=(1, 2),
        rates=(0.01, 0.1),
        recipe=Recipe(batch=8),
    )
    return Study(name="moved", question="Where are the images?", parts=(part,))


def first_units(dataset: str) -> list[Unit]:
    stages = plan(study(dataset), lambda _: None)
    return [unit for stage in stages for unit in stage.units or ()]


def carry_out(dataset: str, store: Store) -> int:
    """What a job does, in this process; returns how many units were trained."""
    trained = 0
    while True:
        stages = plan(study(dataset), store.read)
        units = [unit for stage in stages for unit in stage.units or ()]
        if adopt_former_units(store, units):
            continue
        store.write_manifest(make_manifest(study(dataset), stages))
        todo = [unit for unit in units if unit.id not in store.done()]
        if not todo:
            return trained
        for unit in todo:
            store.write(unit, engine.run(unit), provenance.make_record("0" * 40, 1.0))
            trained += 1


SPELLINGS = {
    "npz:": ["x.npz", "./x.npz", "~/x.npz", "../confidential-customer/x.npz", "x.npz/", "//x.npz"],
    "imagefolder:": ["photos", "./photos/", "~/photos?size=224", "photos//?size=0224"],
}


@pytest.mark.parametrize("kind", SPELLINGS)
def test_every_spelling_and_every_place_plans_the_same_units(kind: str, here: Path) -> None:
    elsewhere = here.parent / "elsewhere? yes=no"
    shutil.copytree(here, elsewhere)
    file = "x.npz" if kind == "npz:" else "photos"
    names = [here / file, elsewhere / file]
    spelled = [each for each in SPELLINGS[kind] if not each.startswith("//")]
    ids = {tuple(unit.id for unit in first_units(f"{kind}{name}")) for name in (*names, *spelled)}
    assert len(ids) == 1
    other = first_units(f"{kind}{elsewhere / file}")[0]
    assert SECRET not in other.canonical
    assert "/" not in other.dataset


def test_a_label_tells_content_apart(here: Path) -> None:
    label = catalog.load("npz:x.npz").name
    arrays = dict(np.load("x.npz"))
    arrays["x_test"][0, 0, 0, 0] ^= 1
    np.savez(here / "y.npz", **arrays)
    assert label != catalog.load("npz:y.npz").name
    assert catalog.load("imagefolder:photos?size=8").name.endswith("?size=8")


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from(["npz", "imagefolder", "cifar10", "imagenet16-120"]),
    path=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    size=st.none() | st.integers(8, 1024),
)
def test_an_absolute_name_is_read_back_as_itself_anywhere(
    kind: str, path: str, size: int | None
) -> None:
    text = f"{kind}:{path}" + (f"?size={size}" if size and kind == "imagefolder" else "")
    try:
        name = parse_name(text)
    except InvalidInput:  # another option than size, or the home of somebody unknown
        assert "?" in path or path.startswith("~")
        return
    assert Path(name.path).is_absolute()
    before = Path.cwd()
    try:
        os.chdir("/")
        assert parse_name(name.absolute) == name
    finally:
        os.chdir(before)


@settings(max_examples=200, deadline=None)
@given(
    st.text() | st.builds("{}{}".format, st.sampled_from([*NAMES, "npz:", "cifar10:"]), st.text())
)
def test_any_text_is_a_name_or_one_sentence(text: str) -> None:
    try:
        assert isinstance(parse_name(text), Name)
    except InvalidInput as error:
        sentence = str(error)
    else:
        return
    assert sentence.startswith(("dataset", "unknown dataset", "path"))


def test_published_sets_are_read_where_the_driver_found_them(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert parse_name("cifar10") == Name("cifar10", str(here / "data"))
    assert parse_name("cifar10").label("0" * 64) == "cifar10"
    monkeypatch.setenv("DATA_DIR", "~/sets/")
    planned = parse_name("cifar100").absolute
    monkeypatch.setenv("DATA_DIR", "/another/node")
    assert parse_name(planned) == Name("cifar100", str(here / "sets"))


@pytest.mark.parametrize("dataset", ["npz:x.npz", "imagefolder:photos?size=8"])
def test_a_relative_name_is_trained_from_in_another_folder(
    dataset: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = first_units(dataset)
    (here.parent / "trial").mkdir()
    monkeypatch.chdir(here.parent / "trial")
    catalog.load_named.cache_clear()  # as in a worker
    assert {row["status"] for unit in units for row in engine.run(unit)} <= {"done", "diverged"}


@pytest.mark.parametrize("dataset", ["npz:x.npz", "imagefolder:photos?size=8"])
def test_no_published_file_holds_the_path(dataset: str, here: Path) -> None:
    out = here.parent / "results"
    store = Store.open(str(out), create=True)
    unit = first_units(dataset)[0]
    assert carry_out(dataset, store) > 2
    (here / "x.npz").unlink()
    shutil.rmtree(here / "photos")
    catalog.load_named.cache_clear()
    with pytest.raises(InvalidInput) as refused:
        engine.run(unit)
    store.write_failure(unit, str(refused.value), "")
    assert report([str(out), "--out", str(here.parent / "page")]) == 0
    published = [
        path for folder in ("results", "page") for path in (here.parent / folder).rglob("*.*")
    ]
    files = [path for path in published if path.is_file()]
    assert len(files) > 5
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []


FORMER = {
    "npz:x.npz": [
        "53049cc579c97ba2b56fffcce3ab0f340c26199881d83905df05c659926ae726",
        "bbac9aff518ac14d2f8a4cc66458912ad87453a7ab80cbcf3ac6019449371d8f",
    ],
    "imagefolder:photos?size=8": [
        "e0eb3777786afe4f11b10b2e7de59c2de59ba9c751c3ea7e966d474a699cae4e",
        "c8e3496cf3b579d6265e019703f3cd25bc31d19f4fe92e94a77cc0262f0c221b",
    ],
}
"""The ids of ``first_units`` while names were kept as they were typed."""


@pytest.mark.parametrize("dataset", FORMER)
def test_the_ids_of_earlier_versions_are_known(dataset: str) -> None:
    assert [unit.former_ids[0] for unit in first_units(dataset)] == FORMER[dataset]


@pytest.mark.parametrize("dataset", FORMER)
def test_results_of_earlier_versions_are_found_by_the_same_command(
    dataset: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = Store.open(str(here.parent / "fresh"), create=True)
    trained = carry_out(dataset, fresh)
    old = Store.open(str(here.parent / "old"), create=True)
    for unit in planned_units(dataset, fresh):
        name, checksum = unit.dataset_former[0]
        former = replace(unit, dataset=name, dataset_checksum=checksum)
        file = fresh.find_unit(unit.id)
        assert file is not None
        rows = [row | {"unit_id": former.id, "dataset": name} for row in file.rows.to_pylist()]
        old.write(former, rows, file.provenance | {"seconds": 77.0})
    stored = old.done()
    rehearse(study(dataset), old, Machine(Resources(), 1, 1), engine.run, Console())
    assert "0 units to run" in capsys.readouterr().out
    assert old.done() == stored
    assert trained > 2
    assert carry_out(dataset, old) == 0
    for unit in planned_units(dataset, old):
        before, after = fresh.find_unit(unit.id), old.find_unit(unit.id)
        assert before is not None
        assert after is not None
        assert repr(after.rows.to_pylist()) == repr(before.rows.to_pylist())
        assert after.unit == before.unit
        assert after.provenance["seconds"] == 77.0
    assert stored < old.done()


def planned_units(dataset: str, store: Store) -> list[Unit]:
    stages = plan(study(dataset), store.read)
    return [unit for stage in stages for unit in stage.units or ()]


def test_results_of_other_images_are_not_taken_over(here: Path) -> None:
    units = first_units("npz:x.npz")
    store = Store.open(str(here.parent / "old"), create=True)
    former = replace(units[0], dataset="npz:x.npz", dataset_checksum="0" * 64)
    store.write(former, engine.run(units[0]), provenance.make_record("0" * 40, 1.0))
    assert adopt_former_units(store, units) == set()


def test_folders_of_deep_grays_have_no_former_names(here: Path) -> None:
    assert first_units("imagefolder:photos?size=8")[0].dataset_former
    deep = np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000
    Image.fromarray(deep).save(here / "photos/train/0/deep.png")
    catalog.load_named.cache_clear()
    assert first_units("imagefolder:photos?size=8")[0].dataset_former == ()


def test_a_deleted_working_folder_is_one_sentence(here: Path) -> None:
    gone = here / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    with pytest.raises(InvalidInput, match=r"^path x\.npz: .*give an absolute path"):
        parse_name("npz:x.npz")
    os.chdir(here)
