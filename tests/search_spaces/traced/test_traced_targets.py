"""Networks by name: what is found, what is printed, and how wrong names are refused."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
import torch

from search_spaces.__main__ import main
from search_spaces.traced import coverage
from search_spaces.traced.targets import is_target, parse_input, read_roles, trace_target

ROW = coverage.Row("a:b", "c", "d", "e", "f", "g", 1.0, "h")
PAGE = Path(__file__).parents[3] / "docs" / "your-model.md"

NETWORKS = '''
from torch import nn

class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), nn.Linear(width, width))

    def forward(self, x):
        return x + self.body(x)

def make(depth=2, width=4, *, bias=True):
    blocks = [Residual(width) for _ in range(depth)]
    return nn.Sequential(nn.Linear(3, width, bias=bias), *blocks, nn.Linear(width, 2))

def words():
    return nn.Sequential(nn.Embedding(9, 4), Residual(4), nn.Linear(4, 9))

class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 2), nn.Linear(4, 2)

    def forward(self, x, y):
        return self.first(x) + self.second(y)

class Chosen(nn.Module):
    """Its code asks for numbers: how many inputs are positive."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        positive = x[x > 0]
        return self.layer(positive[:, None]) if positive.shape[0] > 3 else x

def number():
    return 7

def ends():
    raise SystemExit("this network needs a GPU")

def weightless():
    return nn.Sequential(nn.Flatten(), nn.Softmax(1))

def needs_numbers():
    """Cannot be made without numbers: its scale is read back from a tensor."""
    import torch
    scale = float(torch.ones(3).sum())
    return nn.Sequential(nn.Linear(3, int(scale)), nn.Linear(3, 2))
'''


@pytest.fixture(autouse=True)
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brought.py").write_text(NETWORKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "brought", raising=False)


def test_a_factory_with_options() -> None:
    network = trace_target("brought:make?depth=5&width=8&bias=false", "3")
    assert (network.residual_blocks, network.width) == (5, 8)
    assert network.layer("0").parameters == ("0.weight",)
    assert trace_target("brought:words", "tokens:6").residual_blocks == 1
    assert trace_target("brought:Pair", "3,4").graph.in_degrees == (0, 2)
    assert trace_target("brought:needs_numbers", "3").width == 3


def test_describe_prints_depth_paths_and_layers(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["describe", "brought:make", "--input", "3", "--role", "1.body.1=reduction"]
    assert main(arguments) == 0
    output = capsys.readouterr().out
    assert "brought:make  traced in train mode" in output
    assert "width 4, kernel 1, 4 weighted layers, 2 additions" in output
    assert "0-1-2-3-4  4 linear" in output
    assert re.search(r"^am-mup-blocks +network +4 +2 +2 +32$", output, re.MULTILINE)
    table = output.partition("Weighted layers")[2]
    assert re.search(r"^0 +linear +3 +1 1 +stem +reads the input$", table, re.MULTILINE)
    assert re.search(
        r"^1\.body\.1 +linear +4 +1 2\* +reduction +chosen by the caller$", table, re.M
    )
    assert re.search(r"^3 +linear +4 +2 1 +head +makes the output$", table, re.MULTILINE)


def test_an_svg_of_a_traced_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "network.svg"
    assert main(["describe", "brought:make", "--input", "3", "--svg", str(file)]) == 0
    assert file.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["torchvision:resnet19"], "torchvision has no model 'resnet19'; did you mean resnet1"),
        (["torchvision:resnet18?depth=3"], "torchvision:resnet18?depth=3 cannot be built: "),
        (["torchvision:resnet18", "--input", "4x64x64"], "does not export for an input of 2x4x64"),
        (["torchvision:resnet18", "--input", "3x0"], "input '3x0' is no shape; write channels"),
        (["brought:make"], "say which input brought:make takes, such as --input 3x224x224"),
        (["brought:build", "--input", "3"], "module brought has no function or class 'build'"),
        (["absent.package:make", "--input", "3"], "there is no module 'absent.package' to import"),
        (["brought:number", "--input", "3"], "brought:number gives a int, not a torch module"),
        (
            ["brought:ends", "--input", "3"],
            "ends cannot be built: this network needs a GPU",
        ),
        (["brought:weightless", "--input", "3"], "passes a layer with weights"),
        (
            ["brought:Chosen", "--input", "3"],
            "Chosen does not export for an input of 2x3: Could not",
        ),
        (["brought:make?depth", "--input", "3"], "option 'depth' must read KEY=VALUE"),
        (["brought:make", "--input", "3", "--role", "0"], "role '0' must read LAYER=ROLE"),
        (["brought:make", "--input", "3", "--role", "7=body"], "brought:make has no layer '7'"),
        (["torch.nn:LSTM?input_size=3&hidden_size=2", "--input", "5x3"], "is a recurrent layer"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error


def test_without_timm_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    assert main(["describe", "timm:resnet18"]) == 2
    assert capsys.readouterr().err == "error: timm is not installed; pip install timm\n"


@pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="timm is an extra")
def test_networks_of_timm() -> None:
    assert trace_target("timm:vit_tiny_patch16_224").residual_blocks == 24
    with pytest.raises(ValueError, match="timm has no model 'vit_tinny'"):
        trace_target("timm:vit_tinny")


def test_what_is_a_target() -> None:
    assert is_target("torchvision:resnet50")
    assert is_target("a.b:Network.make?depth=3")
    for text in ("resnet-8", "6111", "1_01_001", "|none~0|+|none~0|none~1|", "C:\\x"):
        assert not is_target(text)
    assert parse_input("3x8x8,tokens:5") == [((3, 8, 8), torch.float32), ((5,), torch.long)]
    assert read_roles(["a.b=head"]) == {"a.b": "head"}


@pytest.mark.parametrize(
    "target",
    [
        "torchvision:alexnet",
        "torchvision:mobilenet_v3_small",
        "torchvision:squeezenet1_1",
        "torchvision:raft_small",
        "timm:bat_resnext26ts",
        "timm:convmixer_768_32",
    ],
)
def test_the_coverage_table_is_what_the_code_gives(target: str) -> None:
    if target.startswith("timm:"):
        pytest.importorskip("timm")
    written = coverage.read_table(PAGE)
    row = coverage.trace_row(target, dict(coverage.list_targets())[target])
    assert written[target][:5] == (
        row.outcome, row.mode, row.additions, row.concatenations, row.layers,
    )  # fmt: skip


def test_the_page_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    code = PAGE.read_text().partition("```python\n")[2].partition("```")[0]
    exec(compile(code, str(PAGE), "exec"), {})
    printed = re.findall(r"^print\(.*\)  # (.*)$", code, re.MULTILINE)
    assert capsys.readouterr().out.splitlines() == printed
    assert len(printed) == 2


def test_the_table_holds_every_family_of_torchvision(tmp_path: Path) -> None:
    written = coverage.read_table(PAGE)
    assert {f"torchvision:{name}" for name, _ in coverage.TORCHVISION} <= set(written)
    assert {cells[0] for cells in written.values()} <= {"traced", "refused", "does not export"}
    page = tmp_path / "page.md"
    page.write_text(f"above\n{coverage.BEGIN}\nold\n{coverage.END}\nbelow\n")
    coverage.write_table(page, [coverage.HEADING, ROW.line()])
    assert coverage.read_table(page) == {"a:b": ("c", "d", "e", "f", "g", "h")}
    assert page.read_text().startswith("above\n")
    assert page.read_text().endswith("\nbelow\n")
