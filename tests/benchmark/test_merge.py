"""Merging results that were made apart: union by unit id, and no silence about a difference."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.planted_units import planted_manifest, planted_provenance, planted_rows, planted_unit

from benchmark import status
from benchmark.merge import main, merge
from benchmark.store.results import Results
from benchmark.store.store import Store
from benchmark.study.unit import Unit
from search_spaces.errors import InvalidInput

UNITS = [planted_unit(f"mlp-{depth}") for depth in range(2, 6)]


def folder(place: Path, losses: dict[Unit, float], name: str = "planted") -> str:
    store = Store.open(str(place), create=True)
    for unit, loss in losses.items():
        store.write(unit, planted_rows(unit, loss), planted_provenance())
    store.write_manifest(planted_manifest(UNITS, name))
    return str(place)


def losses(place: str) -> list[float]:
    return [float(v) for v in Results.load(place).table["train_loss"].to_pylist()[::3]]


def test_the_union_is_complete_and_the_sources_are_as_they_were(tmp_path: Path) -> None:
    first = folder(tmp_path / "a", {UNITS[0]: 0.0, UNITS[1]: 1.0})
    second = folder(tmp_path / "b", {UNITS[1]: 1.0, UNITS[2]: 2.0, UNITS[3]: 3.0})
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    merged = merge([first, second], str(tmp_path / "c"))
    assert (merged.copied, merged.shared, merged.differ) == (4, 1, ())
    assert losses(str(tmp_path / "c")) == [0.0, 1.0, 2.0, 3.0]
    assert Results.load(str(tmp_path / "c")).complete
    assert all(file.read_bytes() == content for file, content in before.items())


def test_of_two_different_results_the_first_is_kept_and_the_second_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = folder(tmp_path / "a", {UNITS[0]: 0.25})
    second = folder(tmp_path / "b", {UNITS[0]: 0.75})
    assert main([first, second, "--out", str(tmp_path / "c")]) == 0
    said = capsys.readouterr().out
    assert "1 units differ" in said
    assert UNITS[0].id[:12] in said
    assert losses(str(tmp_path / "c")) == [0.25]


def test_diverged_losses_that_are_no_numbers_are_equal_to_themselves(tmp_path: Path) -> None:
    places = [folder(tmp_path / name, {UNITS[0]: float("nan")}) for name in "ab"]
    assert merge(places, str(tmp_path / "c")).differ == ()


def test_merging_into_a_folder_keeps_what_it_has(tmp_path: Path) -> None:
    target = folder(tmp_path / "c", {UNITS[0]: 0.25})
    other = folder(tmp_path / "a", {UNITS[0]: 0.75, UNITS[1]: 1.0})
    merged = merge([other], target)
    assert (merged.copied, merged.differ) == (1, (UNITS[0].id,))
    assert losses(target) == [0.25, 1.0]


def test_damaged_files_are_not_copied(tmp_path: Path) -> None:
    source = folder(tmp_path / "a", {UNITS[0]: 0.0, UNITS[1]: 1.0})
    file = tmp_path / "a" / "units" / f"{UNITS[0].id}.arrow"
    file.write_bytes(file.read_bytes()[1:])
    assert merge([source], str(tmp_path / "c")).copied == 1
    assert Store.open(source).quarantined() == 1


def test_failures_come_along_unless_another_folder_has_the_unit(tmp_path: Path) -> None:
    first = folder(tmp_path / "a", {})
    for unit in UNITS[:2]:
        Store.open(first).write_failure(unit, "OSError: gone", "Traceback")
    second = folder(tmp_path / "b", {UNITS[0]: 0.0})
    merge([first, second], str(tmp_path / "c"))
    assert set(Results.load(str(tmp_path / "c")).failures) == {UNITS[1].id}


def test_a_stage_that_waits_in_one_folder_is_taken_from_the_other(tmp_path: Path) -> None:
    waits = folder(tmp_path / "a", {UNITS[0]: 0.0})
    manifest = planted_manifest(UNITS)
    manifest["stages"][0]["units"] = None
    Store.open(waits).write_manifest(manifest)
    known = folder(tmp_path / "b", {UNITS[1]: 1.0})
    merge([waits, known], str(tmp_path / "c"))
    assert Results.load(str(tmp_path / "c")).counts[0].done == 2


@pytest.mark.parametrize("exists", [True, False])
def test_another_studys_results_are_refused_before_anything_is_written(
    tmp_path: Path, exists: bool
) -> None:
    first, second = folder(tmp_path / "a", {}), folder(tmp_path / "b", {}, name="other")
    sources = [second] if exists else [first, second]
    target = first if exists else str(tmp_path / "c")
    with pytest.raises(InvalidInput, match="'other', not of 'planted'"):
        merge(sources, target)
    assert not (tmp_path / "c").exists()


def test_the_command_says_which_folder_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path), "--out", str(tmp_path / "c")]) == 2
    assert f"error: {tmp_path} is not a results folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "arguments", "sentence"),
    [
        (main, [], "the following arguments are required: RESULTS, --out"),
        (main, ["a", "--out"], "argument --out: expected one argument"),
        (status.main, [], "the following arguments are required: RESULTS"),
        (status.main, ["a", "b"], "unrecognized arguments: b"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(
    command: Callable[[list[str]], int],
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(arguments) == 2
    assert capsys.readouterr().err == f"error: {sentence}; see --help\n"
