"""``python -m benchmark rate``: rates, what they hold with, the evidence, and bad input."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmark.findings.evidence import (
    Evidence,
    find_evidence,
    find_supported,
    load_committed,
    say_supported,
)
from benchmark.models import find_network
from benchmark.rate import REPORTS, main
from benchmark.rules import bundle
from search_spaces.registry import create

MODULE = """
import torch
from torch import nn

class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
    def forward(self, x):
        return x + self.conv(x.relu())

def make(blocks=2, width=8):
    blocks = [Block(width) for _ in range(blocks)]
    return nn.Sequential(nn.Conv2d(3, width, 3), *blocks, nn.Flatten(), nn.LazyLinear(5))

def plain(blocks=2, width=8):
    blocks = [Block(width) for _ in range(blocks)]
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(nn.Conv2d(3, width, 3), *blocks, *pool, nn.Linear(width, 5))

def linear(blocks=2):
    return nn.Sequential(nn.Linear(3, 4), *(nn.Linear(4, 4) for _ in range(blocks)))

class Guess(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)
    def forward(self, x):
        return self.linear(x) if x.sum() > 0 else x
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "brought_nets.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "brought_nets", raising=False)
    return "brought_nets"


def rows_of(text: str) -> dict[str, list[str]]:
    table = text.partition("\nrule ")[2].partition("\n\n")[0].splitlines()[1:]
    return {row.split()[0]: row.split()[1:] for row in table}


def test_rates_are_the_rules_with_all_that_they_prescribe(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["vit-12", "--base", "vit-4", "--base-rate", "0.001", "--optimizer", "adamw"]
    assert main(arguments) == 0
    rows = rows_of(capsys.readouterr().out)
    space = create("vit")
    assert "completep" in rows
    for rule, (rate, times, scheme, branch, *factors) in rows.items():
        found = bundle(rule, "vit", space.topology("vit-12"), space.topology("vit-4"), "adamw")
        assert found is not None
        assert float(times) == pytest.approx(found.lr_multiplier, rel=5e-3)
        assert float(rate) == pytest.approx(0.001 * found.lr_multiplier, rel=5e-3)
        assert scheme == found.initialization
        assert float(branch) == pytest.approx(found.branch_multiplier, rel=5e-3)
        told = dict(re.findall(r"([a-z-]+) x([0-9.e-]+)", " ".join(factors)))
        assert {name: float(each) for name, each in told.items()} == pytest.approx(
            dict(found.factors), rel=5e-3
        )


def test_rules_that_are_undefined_for_a_network_are_named_and_the_others_told(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two count nonlinearities, of which a linear network has none."""
    asked = [f"{module}:linear?blocks=6", "--base", f"{module}:linear", "--base-rate", "0.1"]
    asked += ["--input", "3"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "\nUndefined for one of the two, where they count 0: jelassi, path-cubed\n" in said
    assert set(rows_of(said)) == {"depth-mup", "effective-depth", "mup", "tuned-constant"}
    for rule in ("jelassi", "path-cubed"):
        assert main([*asked, "--rule", rule]) == 2
        assert f"rule '{rule}' is undefined for this network or its base" in capsys.readouterr().err


def test_without_committed_studies_the_rates_are_told_without_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As where the package is installed from a wheel, which holds no studies."""
    monkeypatch.setattr("benchmark.rate.REPORTS", tmp_path / "reports")
    assert main(["resnet-8", "--base", "resnet-4", "--base-rate", "0.1"]) == 0
    said = capsys.readouterr().out
    assert "depth-mup" in rows_of(said)
    assert "No committed studies are installed here" in said
    assert "not tested" not in said


def test_evidence_is_of_the_same_kind_and_optimizer_with_its_numbers() -> None:
    results = load_committed(REPORTS)
    example = [each for each in results if each.study["name"] == "quickstart"]
    residual = find_evidence(example, "residual", "sgd")
    assert {each.part for each in residual} == {"residual-depth"}
    assert {each.rule for each in residual} == {"tuned-constant", "effective-depth", "path-cubed"}
    for each in residual:
        assert re.match(
            r"Loss above the lowest \S+ \[.*\], n\s=\s8 seeds, over all 5 rungs", each.found
        )
        assert each.about == "resnet of 1 to 16 blocks on digits"
    assert {each.part for each in find_evidence(example, "chain", "sgd")} == {"chain-depth"}
    assert find_evidence(example, "cell", "sgd") == []  # that part is not judged
    assert {each.part for each in find_evidence(results, "cell", "sgd")} == {"cells"}
    assert find_evidence(example, "residual", "adamw") == []
    assert find_evidence(example, "transformer", "sgd") == []


def evidence(rule: str, answer: str, current: bool = True) -> Evidence:
    blank = Evidence("study", "part", "about", rule, "question", "no", "found", current)
    return replace(blank, answer=answer)  # type: ignore[arg-type]


def test_a_rule_is_supported_by_a_yes_that_no_study_contradicts() -> None:
    found = [
        evidence("path-cubed", "yes"),
        evidence("path-cubed", "undetermined"),
        evidence("effective-depth", "yes"),
        evidence("effective-depth", "no"),
        evidence("mup", "undetermined"),
        evidence("jelassi", "yes", current=False),
    ]
    assert find_supported(found) == ["path-cubed"]
    names = ["path-cubed", "mup"]
    assert say_supported(found, names, "nets") == "On nets the evidence supports path-cubed."
    none = "The evidence supports none of these rules on nets: "
    assert say_supported(found, ["mup"], "nets") == f"{none}no tested rule has a yes alone."
    assert say_supported([], names, "nets") == f"{none}no committed study tested them."


def test_the_last_line_sums_up_and_a_deeper_base_is_said(
    capsys: pytest.CaptureFixture[str], module: str, tmp_path: Path
) -> None:
    deep, shallow = (f"{module}:plain?blocks={blocks}" for blocks in (6, 2))
    arguments = ["--base-rate", "0.1", "--input", "3x8x8", "--reports", str(tmp_path)]
    assert main([shallow, "--base", deep, *arguments, "--rule", "effective-depth"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "The base is deeper than the target: rules of depth raise its rate." in lines
    assert list(rows_of("\n".join(lines))) == ["effective-depth"]
    assert lines[-3] == "not tested: effective-depth"
    assert lines[-1] == (
        "The evidence supports none of these rules on residual networks trained by sgd: "
        "no committed study tested them."
    )
    assert main([deep, "--base", shallow, *arguments]) == 0
    assert "deeper" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["resnet-8", "--base", "vit-4"], "the base vit-4 is a transformer network and the target"),
        (["resnet-8", "--base", "cnn-4"], "no rule carries a rate from one kind to another"),
        (["brought_nets:Guess", "--base", "resnet-4", "--input", "3"], "does not export"),
        (["brought_nets:make", "--base", "resnet-4"], "say which input"),
        (["brought_nets:nothing", "--base", "resnet-4"], "has no function or class 'nothing'"),
        (["resnet-8", "--base", "resnet-4", "--base-rate", "-1"], "is no positive number"),
        (["resnet-8", "--base", "resnet-4", "--rule", "one-step"], "measured at initialization"),
        (["resnet-8", "--base", "resnet-4", "--rule", "shuffled"], "deals rates to a population"),
        (["resnet-8", "--base", "resnet-4", "--rule", "completep"], "not for sgd"),
        (["resnet-8", "--base", "resnet-4", "--rule", "nothing"], "unknown rule 'nothing'"),
        (["resnet-8", "--base", "resnet-4", "--reports", "no/such"], "there is no folder no/such"),
        (["resnet-8", "--base", "resnet-4", "--role", "a=body"], "whose layers have their roles"),
        (["resnet-8", "--base", "resnet-4", "--base-role", "a=b"], "role 'a=b' must read LAYER"),
        (["0", "--base", "resnet-4"], ""),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], module: str
) -> None:
    rate = [] if "--base-rate" in arguments else ["--base-rate", "0.1"]
    assert main([*arguments, *rate]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_the_role_of_a_layer_can_be_chosen(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = f"{module}:plain?blocks=4"

    def count_layers(*roles: str) -> tuple[int, int]:
        """Those of the body, and those that reduce."""
        traced = find_network(name, "3x16x16", roles).traced
        assert traced is not None
        found = [layer.role for layer in traced.layers]
        return found.count("body"), found.count("reduction")

    body, reduction = count_layers()
    assert count_layers("1.conv=reduction") == (body - 1, reduction + 1)
    asked = [name, "--base", f"{module}:plain", "--base-rate", "0.1", "--input", "3x16x16"]
    assert main([*asked, "--role", "1.conv=reduction", "--base-role", "2.conv=reduction"]) == 0
    assert main([*asked, "--base-role", "9.conv=body"]) == 2
    assert "has no layer '9.conv'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mlp-3", "chain"),
        ("cnn-3", "chain"),
        ("resnet-3", "residual"),
        ("vit-2", "transformer"),
        ("6111", "cell"),
        ("2_22_222_2222", "DAG"),
        ("torchvision:vgg11", "chain"),
        ("torchvision:resnet18", "residual"),
        ("torchvision:squeezenet1_1", "concatenation"),
        ("torchvision:vit_b_32", "transformer"),
    ],
)
def test_kinds_of_networks(text: str, kind: str) -> None:
    assert find_network(text).kind == kind
