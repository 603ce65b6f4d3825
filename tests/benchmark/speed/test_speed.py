"""The speed table: its ways to train agree, and it writes what it prints."""

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import speed_page

from benchmark.speed import __main__ as speed
from benchmark.speed import arithmetic, measure, precision
from benchmark.speed.growth import scales
from benchmark.speed.networks import TimedNetwork, list_networks
from benchmark.speed.table import SpeedRow
from benchmark.speed.ways import contenders
from benchmark.speed.ways import ray_tune as tuned
from search_spaces.output_files import split_at_marks

TINY = [replace(n, rates=5, steps=3) for n in list_networks(quick=True, gpu=False) if n.side == 8]


@pytest.mark.parametrize("network", TINY, ids=[n.name for n in TINY])
def test_all_ways_train_the_same(network: TimedNetwork) -> None:
    builder = network.create_builder("cpu")
    together = contenders.train_together(builder, network, 4)
    alone = contenders.train_together(builder, network, 1)
    by_hand = [
        contenders.train_plainly(builder, each, network.steps, channels_last)
        for each, channels_last in zip(
            network.replicas(network.rates), (False, True, False, True, False), strict=True
        )
    ]
    assert len(set(by_hand)) == network.rates
    assert together == pytest.approx(by_hand, rel=1e-4)
    assert alone == pytest.approx(by_hand, rel=1e-4)
    if network.space == "mlp":
        compiled = contenders.train_plainly(
            builder, network.replicas(1)[0], network.steps, channels_last=False, compiler="eager"
        )
        assert compiled == pytest.approx(by_hand[0], rel=1e-4)


def test_the_table_has_the_rows_that_were_asked_for() -> None:
    found = list_networks(quick=False, gpu=False)
    assert {n.batch for n in found} == {32, 256}
    assert len(found) == len(set(found)) == 11
    assert sum("NAS-Bench-201" in n.name for n in found) == 6
    for network in found:
        builder = network.create_builder("cpu")
        assert network.steps <= builder.build_training(network.replicas(1)).batches.steps
    (cells,) = {dict(n.options)["cells"] for n in list_networks(True, True) if "light" in n.name}
    assert cells == 5


def test_flops_of_a_step_are_those_counted_by_hand() -> None:
    """An MLP of 64-16-16-16-10 (``mlp-3``) and a batch of 32, a product of two matrices being
    2 x rows x columns x terms: every layer forward, its weights' gradient, and but for the first
    its input's."""
    (network,) = (n for n in TINY if n.space == "mlp")
    weights = [64 * 16, 16 * 16, 16 * 16, 16 * 10]
    assert arithmetic.count_flops(network) == 2 * 32 * (3 * sum(weights) - weights[0])


def test_bytes_of_a_step_are_those_counted_by_hand() -> None:
    """The same MLP: kept are the images, three hidden layers after their ReLU (in place of the
    layer before it), the probabilities and the labels, with little beside; its weights (there are
    no biases) move seven times."""
    (network,) = (n for n in TINY if n.space == "mlp")
    kept = 32 * (64 + 3 * 16 + 10)
    trained = 64 * 16 + 16 * 16 + 16 * 16 + 16 * 10
    beside = arithmetic.count_bytes(network) - 4 * (2 * kept + 7 * trained)
    assert 2 * 8 * 32 <= beside < 1000


def test_a_rate_is_told_as_a_share_of_a_matrix_products() -> None:
    assert arithmetic.time_matrix_product("cpu") > 1e8
    assert arithmetic.describe_floor(500.0, 10**8, 1e11) == "2 times the byte floor"
    told = arithmetic.describe_rate(500.0, 10**8, 1e11)
    assert told == "50 GFLOP/s, 50% of a matrix product's"


@pytest.mark.ray
def test_the_command_prints_and_writes_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "list_networks", lambda quick, gpu: [replace(TINY[1], goal=1e9)])
    monkeypatch.setattr(
        scales,
        "measure_scales",
        lambda quick: [*scales.measure_paths(6), *scales.measure_store(20)],
    )
    out = tmp_path / "speed.parquet"
    assert speed.main(["--quick", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    table = pq.read_table(out)
    rows = table.to_pylist()
    for row in rows:
        assert f"\n{row['subject']}\n" in said
        assert f"\n  {row['name']}" in said
    measured = [row for row in rows if row["section"] == "speed"]
    assert [row["name"] for row in measured] == [*measure.WAYS, "one thread", "one thread"]
    for row in measured:
        skipped = row["note"] == "no GPU"
        assert skipped or row["name"] == "one thread" or "of a matrix product's" in row["note"]
        assert len(row["values"]) == (0 if skipped else 2)
        assert all(value > 0 for value in row["values"])
        assert (row["name"] != tuned.REUSE) or row["ratio"] == 1.0
    assert "missed by a factor of" in said
    assert "Where the engine's time goes: ResNet 8x8, batch 32" in said
    assert "aten::" in said
    origin = json.loads(table.schema.metadata[b"provenance"])
    assert origin["repeats"] == 2
    assert origin["versions"]["torch"] == version("torch")


def test_the_plan_and_the_report_are_timed() -> None:
    row = scales.measure_plan(3, 2)
    assert row.name == f"{3 * 8 * 2 + 3 * 2 * 7:,} replicas"
    page, size = scales.measure_report(20)
    assert page.subject == "report of 1,280 rows"
    assert 0 < size.values[0] < 2


def test_a_row_says_its_median_and_range() -> None:
    assert SpeedRow("", "", "", "", [3.0, 1.0, 2.0]).text == "2 (1 to 3)"
    assert SpeedRow("", "", "", "").text == "skipped"


@given(st.sets(st.sampled_from(range(6))))
def test_differences_between_precisions_are_the_planted_ones(diverging: set[int]) -> None:
    """Losses that differ by 0.01 times the seed; replicas that diverged have no difference."""
    exact, rounded = (
        [
            {
                "lr": rate,
                "seed": seed,
                "status": "diverged" if off and seed in diverging else "done",
                "train_loss": 1.0 + 0.01 * seed * off + abs(rate - 0.1),
                "test_accuracy": 0.5,
            }
            for rate in (0.1, 1.0)
            for seed in range(7)
        ]
        for off in (0, 1)
    )
    rows = list(precision.compare_rows("net", exact, rounded, 32))
    loss, accuracy = rows[:2]
    alive = [seed for seed in range(7) if seed not in diverging]
    assert loss.values == pytest.approx([0.01 * seed for seed in alive])
    assert accuracy.values == [0.0] * len(alive)
    assert (f"; diverged 0 and {len(diverging)}" in loss.note) == bool(diverging)


def test_the_speed_page_is_made_from_the_measured_rows() -> None:
    _, tables, _ = split_at_marks(speed_page.PAGE, speed_page.BEGIN, speed_page.END)
    assert tables == speed_page.make_tables(), "run python tests/support/speed_page.py"


def test_names_that_match_no_row_are_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "speed.parquet")]
    assert speed.main(["--only", "transformer", *out]) == 2
    assert "ResNet 8x8, batch 32" in capsys.readouterr().err
    assert speed.main(["--only", "ResNet", "--precision", *out]) == 2
    assert capsys.readouterr().err.startswith("error: --precision compares")


def test_a_folder_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--out", "/no/such/folder/speed.parquet"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
