"""``python -m search_spaces``: what it prints, what it writes, how it refuses."""

import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from support.networks import LARGE

from search_spaces.__main__ import main
from search_spaces.conventions import CONVENTIONS, convention
from search_spaces.paths import PathStatistics
from search_spaces.registry import create, names
from search_spaces.show import installed_rules
from search_spaces.show.describe import describe
from search_spaces.show.export import export
from search_spaces.show.installed_rules import rule_columns
from search_spaces.show.text_drawing import draw_graph, list_paths

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"


def printed(text: str, space: str = "nasbench201") -> str:
    found = create(space)
    stream = io.StringIO()
    describe(found, found.parse(text), Console(file=stream, width=80))
    return stream.getvalue()


def row(output: str, first: str) -> list[str]:
    """The cells of the printed table's row that starts so."""
    (line,) = (line for line in output.splitlines() if line.startswith(first + " "))
    return line.split()


def test_describe_gives_depth_under_every_convention_and_the_rate_under_every_rule() -> None:
    output = printed(CELL)
    space = create("nasbench201")
    for name, found in CONVENTIONS.items():
        paths = found.statistics(space.topology(CELL))
        assert row(output, name)[1:5] == [
            found.scope,
            *map(str, (paths.count, paths.min, paths.max)),
        ]
    columns = rule_columns(space, [CELL])
    for rule, column in columns.items():
        (multiplier,) = column.multipliers
        assert multiplier is not None
        assert row(output, rule)[-2:] == [f"{multiplier:.4g}", f"{multiplier * 0.1:.4g}"]
    assert space.base_architecture in output
    assert "index 11472" in output
    assert "0-1-2-3  2 conv3x3, skip" in output
    assert "0-3  skip" in output


@pytest.mark.parametrize(
    ("text", "space"),
    [("6111", "nasbench201"), ("2_22_222_2222", "dag-cnn"), ("resnet-40", "resnet"),
     ("vit-24", "vit"), ("cnn-300", "cnn"), ("0_00_000", "nasbench201")],
)  # fmt: skip
def test_describe_fits_in_80_columns(text: str, space: str) -> None:
    for line in printed(text, space).splitlines():
        assert len(line) <= 80 or "|" in line  # a cell's own string is longer than that


def test_an_untrainable_cell_is_named_so() -> None:
    output = printed("0_33_030")
    assert "untrainable: no path joins the input to the output" in output
    for rule in rule_columns(create("nasbench201"), ["0_33_030"]):
        assert row(output, rule)[-2:] == ["untrainable", "-"]


def test_long_lists_of_paths_are_cut_and_counted() -> None:
    output = printed("resnet-100", "resnet")
    assert "... 2^100.0 in all" in output
    assert "and nodes 10 to 102, the output" in output


@pytest.mark.parametrize("name", [name for name in names() if name not in LARGE])
def test_the_drawing_shows_every_edge(name: str) -> None:
    space = create(name)
    for architecture in space.architectures(sample=8, seed=4):
        graph = space.graph(architecture)
        drawn = "\n".join(draw_graph(graph, most_nodes=graph.n_nodes))
        assert len(re.findall(r"conv\dx\d|skip|pool|linear|attend", drawn)) == len(graph.edges)
        live = PathStatistics.of(graph, lambda edge: 0).count
        if live <= 4096:
            assert sum(1 for _ in list_paths(graph)) == live
        dotted = "┊" in drawn or "┄" in drawn
        assert dotted == (len(graph.live_edges) < len(graph.edges))


def test_svg(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cell.svg"
    assert main(["describe", CELL, "--svg", str(file)]) == 0
    root = ET.fromstring(file.read_text())
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(filter(None, texts)) == [
        "0",
        "1",
        "2",
        "3+",
        "conv3x3",
        "conv3x3",
        "skip",
        "skip",
    ]
    assert "http" not in file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert str(file) in capsys.readouterr().out.replace("\n", "")


@pytest.mark.parametrize("space", ["nasbench201", "resnet"])
def test_export(space: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "space.parquet"
    assert main(["export", space, "--out", str(file)]) == 0
    assert re.search(r"computed in \d+\.\d\d s", capsys.readouterr().out)
    table = pq.read_table(file)
    found = create(space)
    architectures = found.architectures()
    assert table["arch"].to_pylist() == architectures
    assert table["index"].to_pylist() == list(range(len(architectures)))
    assert table["canonical"].to_pylist() == [found.canonical(name) for name in architectures]
    topologies = [found.topology(name) for name in architectures]
    assert table["trainable"].to_pylist() == [topology.trainable for topology in topologies]
    for name in CONVENTIONS:
        paths = [convention(name).statistics(topology) for topology in topologies]
        sums = table[f"sum_cubes_{name}"]
        assert [int(value) for value in sums.to_pylist()] == [p.sum_cubes for p in paths]
        assert (sums.type == pa.int64()) == (max(p.sum_cubes for p in paths) < 2**63)
        assert [int(v) for v in table[f"n_paths_{name}"].to_pylist()] == [p.count for p in paths]
        assert table[f"min_depth_{name}"].to_pylist() == [p.min for p in paths]
        assert table[f"max_depth_{name}"].to_pylist() == [p.max for p in paths]
        log2 = [p.log2_sum_cubes if p.sum_cubes else None for p in paths]
        assert table[f"log2_sum_cubes_{name}"].to_pylist() == log2
        metadata = table.schema.field(f"sum_cubes_{name}").metadata
        assert metadata[b"scope"].decode() == convention(name).scope
    for rule, column in rule_columns(found, architectures).items():
        assert table[f"multiplier_{rule}"].to_pylist() == column.multipliers


def test_sums_beyond_int64_are_decimal_strings() -> None:
    table = export(create("nasbench201", cells=8))
    column = "sum_cubes_wu2026-layers-and-additions"
    assert table.schema.field(column).type == pa.string()
    assert max(int(value) for value in table[column].to_pylist()) > 2**63
    assert table.schema.field("sum_cubes_chen2024-cell").type == pa.int64()


def test_list_names_every_space_and_convention(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    output = capsys.readouterr().out
    for name in (*names(), *CONVENTIONS):
        assert name in output


@pytest.mark.parametrize(
    "arguments",
    [
        ["describe", "nothing"],
        ["describe", "15625"],
        ["describe", "resnet-3", "--option", "block=wide"],
        ["describe", "resnet-3", "--svg", "nowhere/at/all.svg"],
        ["describe", "resnet-70", "--svg", "long.svg"],
        ["export", "lstm", "--out", "x.parquet"],
        ["export", "mlp", "--out", "nowhere/at/all.parquet"],
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_without_rules_it_says_so_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed_rules, "entry_points", lambda group: ())
    output = printed("cnn-3", "cnn")
    assert "No rules are installed" in output
    assert "multiplier" not in output


def test_a_failing_plugin_is_not_hidden(tmp_path: Path) -> None:
    installed = tmp_path / "broken-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    declared = f"[{installed_rules.GROUP}]\nbroken = no_such_module:rules\n"
    (installed / "entry_points.txt").write_text(declared)
    done = subprocess.run(
        [sys.executable, "-m", "search_spaces", "describe", "cnn-3"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "No module named 'no_such_module'" in done.stderr


def test_describe_shows_what_else_a_rate_holds_for() -> None:
    """depth-mup's rate is the base's own: its branch multiplier 1 / sqrt(8) is the whole rule."""
    output = printed("resnet-8", "resnet")
    terms = [line.split() for line in output.splitlines() if line.startswith("  depth-mup ")]
    assert terms == [["depth-mup", "sgd", "he", "0.3536", "-"]]
    (complete,) = (line for line in output.splitlines() if line.startswith("  completep "))
    assert complete.split()[:4] == ["completep", "adamw", "he", "0.125"]


def test_the_number_of_nodes_left_out_is_one_phrase() -> None:
    assert "... and node 10, the output" in printed("resnet-8", "resnet")
    assert "... and nodes 10 to 11, the output" in printed("resnet-9", "resnet")


def test_a_hundred_thousand_blocks_are_described_in_seconds() -> None:
    """2^100,000 paths, counted in pieces between the nodes that all of them pass."""
    output = printed("resnet-100000", "resnet")
    assert row(output, "am-mup-blocks")[2:5] == ["2^100000.0", "100000", "100000"]
    assert "100001 conv3x3, linear" in output
