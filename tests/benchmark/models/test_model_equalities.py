"""On networks of the spaces, what is made for any module equals what the engine trains."""

import copy
from dataclasses import replace
from functools import cache

import pytest
import torch
from support.networks import CASES, SHAPE, Options, cases, images, network, space_of
from torch import Tensor, nn

from benchmark.models import (
    Network,
    find_network,
    initialize_,
    one_step,
    parameter_groups,
    prescribe,
    read_network,
    scale_branches,
)
from benchmark.models.layer_groups import group_parameters
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica
from benchmark.training import rate_groups
from benchmark.training.optimizers.create import create_optimizer
from benchmark.training.step import compute_losses
from benchmark.training.updates.one_step import measure_one_step
from benchmark.training.weights.initialization import initialize
from benchmark.training.weights.variances import SCHEMES, variance
from search_spaces.errors import InvalidInput
from search_spaces.layers import Weighted

IMAGE = torch.zeros(2, *SHAPE, dtype=torch.float64)


@cache
def trace(name: str, options: tuple[tuple[str, object], ...], architecture: str) -> Network:
    return read_network(network(space_of(name, dict(options)), architecture, 1), IMAGE)


def read(name: str, options: Options, architecture: str) -> tuple[nn.Module, Network]:
    """A module of one's own, and its network."""
    model = trace(name, tuple(options.items()), architecture)
    module = copy.deepcopy(model.require_module()[0])
    return module, replace(model, module=module)


def trained(module: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in module.named_parameters() if p.requires_grad}


@cases
def test_parameters_are_in_the_engine_s_groups(
    name: str, options: Options, architecture: str
) -> None:
    module, model = read(name, options, architecture)
    kinds, ends = rate_groups.group_parameters(module), rate_groups.branch_ends(module)
    expected = {
        name: (kinds[p], rate_groups.BRANCH) if p in ends else (kinds[p],)
        for name, p in trained(module).items()
    }
    assert group_parameters(model) == expected


@cases
def test_schemes_give_traced_layers_the_same_variances_and_numbers(
    name: str, options: Options, architecture: str
) -> None:
    module, model = read(name, options, architecture)
    assert model.traced is not None
    K = model.topology.residual_blocks
    table = {layer.module: layer for layer in model.traced.layers if layer.uses}
    for scheme in SCHEMES:
        if scheme == "in-degree-cell" and name == "nasbench201":
            continue  # the released code counts in-degrees by cell, of which a trace knows nothing
        for end in ("", "+mean-field"):
            for path, layer in table.items():
                own = module.get_submodule(path)
                assert isinstance(own, Weighted)
                assert variance(scheme + end, layer, K) == variance(scheme + end, own, K)
        if scheme == "in-degree-all-edges" and K:
            with pytest.raises(InvalidInput, match="multiplies skips too"):
                initialize_(model, scheme)
            continue
        other = copy.deepcopy(module)
        initialize(other, [replica(scheme, 3)], K)
        initialize_(model, scheme, seed=3, factors=[("readout-variance", 0.25)])
        if any(isinstance(m, Weighted) and not m.weight.requires_grad for m in module.modules()):
            continue  # weights on no path are drawn too there, so that the numbers differ
        for path, layer in table.items():
            assert torch.equal(
                module.get_parameter(layer.parameters[0]),
                other.get_parameter(layer.parameters[0]) * (0.5 if layer.readout else 1),
            ), (scheme, path)


def replica(
    scheme: str, seed: int, multiplier: float = 1.0, factors: tuple[tuple[str, float], ...] = ()
) -> Replica:
    return Replica(
        rule="any",
        rule_version=1,
        convention="",
        initialization=scheme,
        branch_multiplier=multiplier,
        lr_multiplier=1.0,
        base_lr=0.1,
        lr=0.1,
        seed=seed,
        factors=factors,
    )


LADDERS: list[tuple[str, Options, str, str]] = [
    ("resnet", {"width": 4}, "resnet-6", "resnet-2"),
    ("resnet", {"width": 4, "block": "basic", "normalization": "bn"}, "resnet-4", "resnet-2"),
    ("mlp", {"width": 8, "normalization": "ln"}, "mlp-6", "mlp-2"),
    ("vit", {"width": 8, "heads": 2}, "vit-4", "vit-2"),
]
RULES = [
    ("completep", "adamw"),
    ("depth-mup", "adamw"),
    ("depth-mup", "sgd"),
    ("depth-mup:weight-variance", "sgd"),
    ("depth-mup*mup", "adamw"),
    ("effective-depth", "sgd"),
    ("mup", "sgd"),
]


@pytest.mark.parametrize(("name", "options", "deep", "shallow"), LADDERS)
@pytest.mark.parametrize(("rule", "optimizer"), RULES)
def test_torch_s_optimizer_takes_the_steps_of_a_replica(
    name: str, options: Options, deep: str, shallow: str, rule: str, optimizer: str
) -> None:
    """Weights, branch multipliers, rates, decays and epsilons together, over five steps."""
    module, model = read(name, options, deep)
    _, origin = read(name, {**options, "width": int(str(options["width"])) // 2}, shallow)
    start_biases(module)
    # Small for AdamW, which makes steps of gradients that are 0 but for rounding (keys' biases).
    lr = 0.05 if optimizer == "sgd" else 0.002
    found = prescribe(model, rule, origin, lr, optimizer=optimizer)
    bundle, recipe = found.bundle, RECIPES[optimizer]

    replicas = copy.deepcopy(module)
    scheme, factors = bundle.initialization, bundle.factors
    multiplier, K = bundle.branch_multiplier, model.topology.residual_blocks
    initialize(replicas, [replica(scheme, 0, multiplier, factors)], K)
    rate_R = torch.tensor([found.rate], dtype=torch.float64)
    theirs = create_optimizer(replicas, rate_R, recipe, [dict(factors)])

    initialize_(model, scheme, factors=factors)
    scale_branches(model, multiplier)
    groups = parameter_groups(
        model, rule, origin, lr, optimizer=optimizer, weight_decay=recipe.weight_decay
    )
    ours = (
        torch.optim.SGD(groups, momentum=recipe.momentum, nesterov=recipe.nesterov)
        if optimizer == "sgd"
        else torch.optim.AdamW(groups)
    )
    x, y = images(1), torch.tensor([0, 1, 2, 0, 1, 2])
    for _ in range(5):
        for each, step in ((replicas, lambda: theirs.step(1.0)), (module, ours.step)):
            each.zero_grad(set_to_none=False)
            compute_losses(each(x), y[None]).sum().backward()
            step()
    for key, value in replicas.named_parameters():
        assert torch.allclose(module.get_parameter(key), value, rtol=0, atol=1e-10), key


RECIPES = {
    "sgd": Recipe(momentum=0.9, nesterov=True, weight_decay=1e-3),
    "adamw": Recipe(optimizer="adamw", momentum=0.0, nesterov=False, weight_decay=0.1),
}


def start_biases(module: nn.Module) -> None:
    """Biases of layers at 0, as a study has them; norms may start anywhere."""
    with torch.no_grad():
        for layer in module.modules():
            if isinstance(layer, Weighted) and layer.bias is not None:
                layer.bias.zero_()


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_one_step_is_the_engine_s_measurement(kind: str) -> None:
    """On a chain the layers' outputs are the nodes, and a small step is its first order."""
    module, model = read("mlp", {"width": 8}, "mlp-5")
    lr, x, y = 1e-6, images(1), torch.tensor([0, 1, 2, 0, 1, 2])
    (expected,) = measure_one_step(
        module, x, y[None], torch.tensor([lr], dtype=torch.float64), RECIPES[kind]
    )
    before = {name: value.clone() for name, value in module.state_dict().items()}
    optimizer: torch.optim.Optimizer = torch.optim.SGD(module.parameters(), lr=lr)
    if kind == "adamw":
        optimizer = torch.optim.AdamW(module.parameters(), lr=lr, weight_decay=0)
    steps = one_step(model, (x, y), optimizer, loss_of)
    assert [step.module for step in steps] == [each.module for each in model.traced.layers]  # type: ignore[union-attr]
    for found, update, forward in zip(
        steps, expected["update_moments"], expected["forward_moments"], strict=False
    ):
        assert found.update == pytest.approx(update, rel=1e-3)
        assert found.forward == pytest.approx(forward, rel=1e-9)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def loss_of(logits_RBC: Tensor, y_B: Tensor) -> Tensor:
    return compute_losses(logits_RBC, y_B[None]).sum()


def test_a_network_by_name_has_no_module() -> None:
    with pytest.raises(InvalidInput, match="resnet-8 has no module here"):
        initialize_(find_network("resnet-8"), "he")


def test_every_space_is_among_the_cases() -> None:
    assert {name for name, _, _ in CASES} >= {"nasbench201", "dag-mlp", "dag-cnn", "vit"}
