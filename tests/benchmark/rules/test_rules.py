"""Every rule on every space, and the equations of the rules written out."""

import math
from collections import Counter
from dataclasses import replace

import pytest
import torch
from support.networks import LARGE
from support.replicas import replica as planted_replica

from benchmark import rules
from benchmark.datasets.streams import create_stream
from benchmark.rules import Control
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.variances import SCHEMES
from search_spaces import registry
from search_spaces.conventions import CONVENTIONS, convention
from search_spaces.errors import InvalidInput
from search_spaces.layers import Weighted
from search_spaces.space import SearchSpace

BASE = "1_01_001"
TWO_PATHS = "|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|"
PATHLESS = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


@pytest.mark.parametrize("name", rules.registry())
@pytest.mark.parametrize("space_name", [n for n in registry.names() if n not in LARGE])
def test_contract_every_rule_on_every_space(name: str, space_name: str) -> None:
    space = registry.create(space_name)
    base = space.base_architecture
    population = [base, *space.architectures(5, seed=1)]
    given = rules.bundles(name, space, population, optimizer=rules.rule(name).optimizers[0])
    for architecture, bundle in zip(population, given, strict=True):
        if not space.topology(architecture).trainable:
            assert bundle is None
            continue
        assert bundle is not None
        assert bundle.initialization.removesuffix("+mean-field") in SCHEMES
        assert 0 < bundle.branch_multiplier <= 1
        assert math.isfinite(bundle.lr_multiplier)
        assert bundle.lr_multiplier > 0
    if not isinstance(rules.rule(name), Control):
        assert given[0] is not None
        assert given[0].lr_multiplier == 1
    assert rules.rule(name).convention(space_name) in {"", *CONVENTIONS}


@pytest.mark.parametrize("depth", [2, 5, 17, 60])
def test_chain_law_path_cubed_is_effective_depth_under_one_convention(depth: int) -> None:
    """On a chain of L layers there is one path: (L^3)^(-1/2) = L^(-3/2), exactly."""
    space = registry.create("cnn", width=8)
    topology, base = space.topology(f"cnn-{depth}"), space.topology("cnn-1")
    for name in CONVENTIONS:
        readings = [rules.Reading.of(each, name) for each in (topology, base)]
        cubed = rules.rule("path-cubed").bundle(*readings)
        depths = rules.rule("effective-depth").bundle(*readings)
        assert cubed.lr_multiplier == pytest.approx(depths.lr_multiplier, rel=1e-14)


def test_path_cubed_on_residual_nets_is_the_closed_form() -> None:
    """Sum over paths of (k + 1)^3 with C(n, k) paths of k branches."""
    space = registry.create("resnet", width=8)
    for blocks in (1, 4, 9, 40):
        target = sum(math.comb(blocks, k) * (k + 1) ** 3 for k in range(blocks + 1))
        base = 1 + 8
        (bundle,) = rules.bundles("path-cubed", space, [f"resnet-{blocks}"])
        assert bundle is not None
        assert bundle.lr_multiplier == pytest.approx(math.sqrt(base / target), rel=1e-14)


def test_published_multipliers_on_nasbench201() -> None:
    """46 distinct rates from 0.0891 to 1, median 0.2357 (arXiv 2402.17440's code, counted)."""
    space = registry.create("nasbench201")
    given = rules.bundles("path-cubed", space, space.architectures())
    trainable = sorted(bundle.lr_multiplier for bundle in given if bundle)
    assert len(given) - len(trainable) == 341
    assert len({round(value, 12) for value in trainable}) == 46
    assert trainable[0] == pytest.approx(126**-0.5)
    assert trainable[-1] == 1
    assert trainable[len(trainable) // 2] == pytest.approx(0.2357, abs=5e-5)


@pytest.mark.parametrize("kernel", [3, 5, 7])
def test_kernel_factor_is_three_over_the_side(kernel: int) -> None:
    space = registry.create("cnn", width=8, kernel=kernel)
    (bundle,) = rules.bundles("path-cubed", space, ["cnn-1"])
    assert bundle is not None
    assert bundle.lr_multiplier == pytest.approx(3 / kernel)


def test_effective_depth_counts_layers_and_additions_of_the_network() -> None:
    space = registry.create("nasbench201", channels=4, cells=1)
    base, target = (
        convention("wu2026-layers-and-additions").statistics(space.topology(text)).min
        for text in (BASE, TWO_PATHS)
    )
    assert base is not None
    assert target is not None
    (bundle,) = rules.bundles("effective-depth", space, [TWO_PATHS])
    assert bundle is not None
    assert bundle.lr_multiplier == pytest.approx((target / base) ** -1.5)
    assert target == base + 3  # one addition in each of three cells; the skip adds no layer


def test_shuffled_deals_the_same_rates_to_others() -> None:
    space = registry.create("nasbench201")
    population = [*space.architectures(200, seed=3), PATHLESS]
    cubed = rules.bundles("path-cubed", space, population)
    placebo = rules.bundles("shuffled", space, population)
    rates = [Counter(b.lr_multiplier for b in given if b) for given in (cubed, placebo)]
    assert rates[0] == rates[1]
    moved = sum(a != b for a, b in zip(cubed, placebo, strict=True))
    assert moved > 100
    assert placebo == rules.bundles("shuffled", space, population)
    assert placebo[-1] is None


def test_the_entry_point_gives_every_rule_that_is_a_function_of_one_graph() -> None:
    space = registry.create("nasbench201")
    columns = rules.multipliers(space, [BASE, PATHLESS])
    assert set(rules.registry()) - set(columns) == {"shuffled", "geometric-mean", "one-step"}
    assert all(column.multipliers == [1.0, None] for column in columns.values())


def test_an_unknown_rule_is_one_sentence_with_the_choices() -> None:
    with pytest.raises(InvalidInput, match=r"unknown rule 'path-squared'.*path-cubed"):
        rules.rule("path-squared")


@pytest.mark.parametrize("depth", [1, 4, 30])
def test_chain_law_jelassi_is_path_cubed_on_plain_chains(depth: int) -> None:
    for ladder in ("cnn", "mlp"):
        space = registry.create(ladder, width=8)
        (cubed,), (jelassi,) = (
            rules.bundles(name, space, [f"{ladder}-{depth}"]) for name in ("path-cubed", "jelassi")
        )
        assert cubed is not None
        assert jelassi is not None
        assert jelassi.lr_multiplier == pytest.approx(cubed.lr_multiplier, rel=1e-14)


def test_the_decisive_contrast_on_residual_nets() -> None:
    """Effective depth falls as a power, path-cubed as 2^(-K/2) K^(-3/2), Depth-muP not at all."""
    space = registry.create("resnet", width=8)
    rungs = ["resnet-20", "resnet-40"]
    ratio: dict[str, float] = {}
    for name in ("effective-depth", "path-cubed", "depth-mup", "mup"):
        shallow, deep = rules.bundles(name, space, rungs)
        assert shallow is not None
        assert deep is not None
        ratio[name] = deep.lr_multiplier / shallow.lr_multiplier
    assert ratio["effective-depth"] == pytest.approx((42 / 22) ** -1.5)
    assert ratio["path-cubed"] == pytest.approx(2**-10 * 2**-1.5, rel=0.1)
    assert ratio["depth-mup"] == ratio["mup"] == 1


def test_branch_multipliers_and_adamw() -> None:
    space = registry.create("resnet", width=8)

    def bundle(name: str, optimizer: str) -> rules.Bundle:
        (given,) = rules.bundles(name, space, ["resnet-16"], "resnet-4", optimizer)
        assert given is not None
        return given

    assert bundle("depth-mup", "sgd").branch_multiplier == 1 / 4
    deep = bundle("depth-mup", "adamw")
    assert (deep.branch_multiplier, deep.lr_multiplier) == (1 / 4, 1)
    assert dict(deep.factors) == {"hidden": 1 / 2, "vector": 1 / 2, "epsilon": 1 / 2}
    complete = bundle("completep", "adamw")
    assert (complete.branch_multiplier, complete.lr_multiplier) == (1 / 4, 1)
    undecayed = {"vector-decay": 0, "outer-vector-decay": 0, "readout-bias-decay": 0}
    assert dict(complete.factors) == {"epsilon": 1 / 4, **undecayed}
    with pytest.raises(InvalidInput, match=r"'completep' is stated for adamw, not for sgd"):
        bundle("completep", "sgd")


def test_geometric_mean_is_one_rate_with_path_cubeds_mean_log() -> None:
    space = registry.create("nasbench201")
    population = [*space.architectures(50, seed=3), PATHLESS]
    cubed = [b.lr_multiplier for b in rules.bundles("path-cubed", space, population) if b]
    given = {b.lr_multiplier for b in rules.bundles("geometric-mean", space, population) if b}
    (rate,) = given
    assert math.log(rate) == pytest.approx(sum(map(math.log, cubed)) / len(cubed))


def test_forms_change_what_they_say() -> None:
    space = registry.create("cnn", width=8, kernel=5)
    residual = registry.create("resnet", width=8)

    def bundle(name: str, where: SearchSpace, rung: str) -> rules.Bundle:
        (given,) = rules.bundles(name, where, [rung])
        assert given is not None
        return given

    assert bundle("path-cubed:kernel-none", space, "cnn-1").lr_multiplier == pytest.approx(1)
    assert bundle("path-cubed:kernel-squared", space, "cnn-1").lr_multiplier == pytest.approx(0.36)
    plain, bare = (
        bundle(name, residual, "resnet-9") for name in ("depth-mup", "depth-mup:rate-only")
    )
    assert (plain.branch_multiplier, bare.branch_multiplier) == (1 / 3, 1)
    source = bundle("path-cubed:source-in-degree:mean-field-readout", residual, "resnet-9")
    assert source.initialization == "in-degree-source+mean-field"
    assert source.lr_multiplier == bundle("path-cubed", residual, "resnet-9").lr_multiplier
    moved = bundle("depth-mup:weight-variance", residual, "resnet-9")
    assert (moved.initialization, moved.branch_multiplier) == ("residual-aware", 1)
    assert moved.lr_multiplier == 1
    assert dict(moved.factors) == pytest.approx({"branch": 1 / 9, "branch-decay": 9})
    slow = bundle("depth-mup:weight-variance-all-rates", residual, "resnet-9")
    assert (slow.initialization, slow.branch_multiplier) == ("residual-aware", 1)
    assert slow.lr_multiplier == pytest.approx(1 / 9)
    assert slow.factors == ()
    for form in ("weight-variance", "weight-variance-all-rates"):
        assert bundle(f"depth-mup:{form}", space, "cnn-3") == bundle("depth-mup", space, "cnn-3")
        with pytest.raises(InvalidInput, match=f"form {form} is stated for depth-mup"):
            bundle(f"path-cubed:{form}", residual, "resnet-9")
    with pytest.raises(InvalidInput, match="another form of the same rule has removed them"):
        bundle("depth-mup:rate-only:weight-variance", residual, "resnet-9")
    with pytest.raises(InvalidInput, match="unknown form 'quick' of rule 'path-cubed'"):
        rules.rule("path-cubed:quick")


@pytest.mark.parametrize("form", ["weight-variance", "weight-variance-all-rates"])
@pytest.mark.parametrize("blocks", [2, 7])
def test_weight_variance_is_the_same_network_and_the_same_step_of_the_branches(
    blocks: int, form: str
) -> None:
    """W' = a W with a = K^(-1/2): equal outputs, and branches move equally at the rate x 1/K."""
    space = registry.create("resnet", width=4)
    rung = f"resnet-{blocks}"
    x, y = torch.randn(3, 1, 6, 6, generator=create_stream(0, "x")), torch.tensor([0, 3, 9])
    outputs, moved = [], []
    for name in ("depth-mup", f"depth-mup:{form}"):
        (given,) = rules.bundles(name, space, [rung])
        assert given is not None
        replica = replace(
            planted_replica(0.1 * given.lr_multiplier, 0),
            initialization=given.initialization,
            branch_multiplier=given.branch_multiplier,
        )
        module = space.build(rung, 1, (1, 6, 6), 10).double()
        initialize(module, [replica], blocks)
        logits_RBC = module(x.double())
        torch.nn.functional.cross_entropy(logits_RBC[0], y).backward()
        outputs.append(logits_RBC.detach())
        rate = replica.lr * dict(given.factors).get("branch", 1.0)
        branches = [m for m in module.modules() if isinstance(m, Weighted) and m.branch]
        assert len(branches) == blocks
        moved.append(
            [
                given.branch_multiplier * rate * branch.weight.grad
                for branch in branches
                if branch.weight.grad is not None
            ]
        )
    torch.testing.assert_close(*outputs)
    torch.testing.assert_close(*moved)
