"""A report of nothing is a page of sentences: all diverged, left out or the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import planted

from benchmark.report.__main__ import main
from benchmark.report.page import build_page
from benchmark.store.results import Results

LOST: Mapping[str, None] = dict.fromkeys(
    ("train_loss", "valid_accuracy", "test_accuracy", "update_moments")
)
SAME = {"train_loss": 0.5, "valid_accuracy": 0.5, "test_accuracy": 0.5}
Mask = Callable[[pa.Table], Any]
WHO: Mapping[str, Mask] = {
    "nobody": lambda table: pc.is_null(table["rule"]),
    "one replica": lambda table: pa.array([True] + [False] * (table.num_rows - 1)),
    "one rule": lambda table: pc.equal(table["rule"], "path-cubed"),
    "the base rule": lambda table: pc.equal(table["rule"], "default"),
    "all rules but one": lambda table: pc.not_equal(table["rule"], "path-cubed"),
    "one seed": lambda table: pc.equal(table["seed"], 0),
    "the shallowest rung": lambda table: pc.equal(table["architecture"], "resnet-2"),
    "every rung but one": lambda table: pc.not_equal(table["architecture"], "resnet-2"),
    "everybody": lambda table: pc.is_valid(table["rule"]),
}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Parts of every kind: 6 cells and 5 rungs, 2 seeds."""
    folder = tmp_path_factory.mktemp("small") / "results"
    return Results.load(planted.write(folder, planted.study(seeds=2, sample=6)))


def change(table: pa.Table, mask: Any, values: Mapping[str, Any]) -> pa.Table:
    """The table with these values where the mask holds."""
    for name, value in values.items():
        field = table.schema.field(name)
        column = pc.if_else(mask, pa.scalar(value, field.type), table[name])
        table = table.set_column(table.schema.get_field_index(name), field, column)
    return table


def keep_architectures(table: pa.Table, count: int) -> pa.Table:
    """The first ``count`` architectures of every part."""
    kept = set[tuple[str, str]]()
    pairs = list(zip(*(table[c].to_pylist() for c in ("part", "architecture")), strict=True))
    for part in dict.fromkeys(part for part, _ in pairs):
        own = dict.fromkeys(pair for pair in pairs if pair[0] == part)
        kept |= set(itertools.islice(own, count))
    return table.filter(pa.array([pair in kept for pair in pairs], pa.bool_()))


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    who=st.sampled_from(list(WHO)),
    count=st.sampled_from([0, 1, 2, 3, 99]),
    same=st.booleans(),
    status=st.sampled_from(["diverged", "untrainable"]),
    stages=st.sampled_from(["all", "no base", "no transfer"]),
    chance=st.sampled_from([None, 0.0]),
)
@example("everybody", 99, False, "diverged", "all", None)
@example("the base rule", 99, False, "diverged", "all", None)
@example("nobody", 1, True, "diverged", "all", None)
@example("one rule", 99, False, "untrainable", "all", None)
@example("nobody", 99, False, "diverged", "all", 0.0)
def test_the_page_is_written_whatever_is_in_the_table(
    results: Results, who: str, count: int, same: bool, status: str, stages: str, chance: object
) -> None:
    table = keep_architectures(results.table, count)
    if stages != "all":
        table = table.filter(pc.not_equal(table["stage"], stages.removeprefix("no ")))
    if same:
        table = change(table, pc.equal(table["status"], "done"), SAME)
    if table.num_rows:
        table = change(table, WHO[who](table), {**LOST, "status": status})
    if chance is not None:
        table = change(table, pc.is_valid(table["rule"]), {"chance_loss": chance})
    page = build_page(replace(results, table=table))
    assert page.html.count("<section") >= 5
    for name in page.drawings:
        assert f'<figure id="{name}">' in page.html
    for name in page.tables.keys() - page.drawings.keys():
        assert f'<figure id="{name}">' not in page.html


@pytest.mark.parametrize("lost", ["default", "*"])
def test_a_study_whose_rules_diverge_is_reported_by_the_command(
    lost: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = planted.write(tmp_path / "results", planted.study(seeds=2, sample=6), diverges=lost)
    assert main([store, "--out", str(tmp_path / "page")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "planted: " in said.out
    text = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    if lost == "*":
        assert "There is nothing to draw" in text
        assert "0 of 5 rungs have a step that did not diverge" in text
