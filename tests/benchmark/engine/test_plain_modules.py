"""Plain torch modules in the engine: equal to torch's own training, apart, resumed, refused."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import pytest
import torch
from support.networks import TRANSFORMER, Options
from support.replicas import replica
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark import rules
from benchmark.datasets import catalog
from benchmark.engine import engine
from benchmark.engine.build import Builder
from benchmark.models import initialize_, one_step, read_network, scale_branches
from benchmark.models.layer_groups import group_parameters as group_named
from benchmark.models.network import Network
from benchmark.plan.planner import plan
from benchmark.study import PLAIN_SGD, Depth, Study, Updates
from benchmark.study.recipe import Recipe
from benchmark.study.unit import Replica, Unit
from benchmark.training import rate_groups
from benchmark.training.loop import Training
from benchmark.training.process_group import Ranks
from search_spaces import registry
from search_spaces.errors import InvalidInput
from search_spaces.modules.building import make_module
from search_spaces.modules.replicated import Replicated

RECIPE = Recipe(
    momentum=0.9, nesterov=True, weight_decay=5e-4, batch=9, validation=0.8, precision="float64"
)
ADAMW = Recipe(optimizer="adamw", weight_decay=0.1, batch=9, validation=0.8, precision="float64")
SHAPE = (1, 8, 8)
NETWORKS: list[tuple[str, Options, str]] = [
    ("module", {"width": 4}, "module-3"),
    ("module", {"width": 8, "factory": TRANSFORMER}, "module-1"),
    ("torchvision", {}, "resnet18"),
]
networks = pytest.mark.parametrize(("name", "options", "architecture"), NETWORKS)
STEPS = 12
REPLICAS = (
    replace(replica(0.02, 0, "residual-aware"), factors=(("branch", 0.5), ("readout", 2.0))),
    replace(replica(0.01, 1), branch_multiplier=0.25),
)


def unit(
    name: str,
    options: Options,
    architecture: str,
    replicas: Sequence[Replica] = REPLICAS,
    recipe: Recipe = RECIPE,
) -> Unit:
    return Unit(
        measure="training",
        space=name,
        space_version=1,
        space_options=tuple(options.items()),  # type: ignore[arg-type]
        architecture=architecture,
        replicas=tuple(replicas),
        recipe=recipe,
        dataset="digits",
        dataset_checksum=catalog.load("digits").checksum,
    )


def begin(asked: Unit) -> Training:
    return Builder.of(asked, torch.device("cpu"), Ranks()).build_training(asked.replicas)


def advance(trained: Training, steps: int) -> None:
    trained.module.train()
    for x_BKHW, y_RB in islice(trained.batches.epoch(trained.step), steps - trained.step):
        trained.advance(x_BKHW, y_RB)


def plain(name: str, options: Options, architecture: str) -> tuple[nn.Module, Network]:
    """The module as its author has it, in float64, and its trace."""
    space = registry.create(name, **options)
    module = make_module(space, architecture, SHAPE, 10, "cpu").double()  # type: ignore[arg-type]
    return module, read_network(module, torch.zeros(2, *SHAPE, dtype=torch.float64))


def train_plainly(
    module: nn.Module,
    model: Network,
    each: Replica,
    recipe: Recipe,
    images: Sequence[tuple[Tensor, Tensor]],
) -> list[float]:
    """The losses of the user's module under torch's optimizer, with the rule's weights, hooks and
    groups from the trace; ``images`` are this replica's."""
    initialize_(model, each.initialization, seed=each.seed)
    handles = scale_branches(model, each.branch_multiplier)
    own, by_name = dict(each.factors), dict(module.named_parameters())
    listed = [
        {"params": [by_name[key]], "lr": each.lr * math.prod(own.get(n, 1.0) for n in called)}
        for key, called in group_named(model).items()
    ]
    optimizer: torch.optim.Optimizer
    if recipe.optimizer == "adamw":
        optimizer = torch.optim.AdamW(listed, weight_decay=recipe.weight_decay)
    else:
        optimizer = torch.optim.SGD(
            listed, momentum=0.9, nesterov=True, weight_decay=recipe.weight_decay
        )
    losses = []
    module.train()
    for x_BCHW, y_B in images:
        loss = F.cross_entropy(module(x_BCHW), y_B)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    for handle in handles:
        handle.remove()
    return losses


def images_of(asked: Unit, index: int, steps: int) -> list[tuple[Tensor, Tensor]]:
    """The batches that a replica sees, of one channel."""
    batches = begin(asked).batches.epoch()
    return [(x[:, index : index + 1], y[index]) for x, y in islice(batches, steps)]


def check_equal(trained: Training, index: int, module: nn.Module, losses: list[float]) -> None:
    """A replica's losses, weights and running statistics are the module's, to 1e-10."""
    assert isinstance(trained.module, Replicated)
    assert trained.loss_SR[:, index][: len(losses)].tolist() == pytest.approx(losses, abs=1e-10)
    state = {**dict(module.named_parameters()), **dict(module.named_buffers())}
    names = trained.module.parameter_names()
    assert len(names) == len([*module.parameters()]) == len([*trained.module.parameters()])
    found = {key: parameter[index] for parameter, key in names.items()}
    for number, key in enumerate(trained.module.buffer_names):
        found[key] = getattr(trained.module, f"buffer{number}")[index]
    assert {key for key in state if not key.endswith("num_batches_tracked")} == set(found)
    for key, value in found.items():
        mine, theirs = value.detach(), state[key].detach()
        if key.endswith("in_proj_bias"):  # a key's bias cancels: its gradient is rounding alone
            mine, theirs = (torch.cat(each.chunk(3)[::2]) for each in (mine, theirs))
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10, msg=key)


@pytest.mark.parametrize("recipe", [RECIPE, ADAMW], ids=["sgd", "adamw"])
@pytest.mark.parametrize(
    ("options", "architecture"),
    [
        ({}, "module-3"),
        ({"factory": "support.factories:build_still_transformer"}, "module-1"),
        ({"factory": "support.factories:build_still_awkward"}, "module-1"),
    ],
)
def test_the_engine_equals_plain_torch_to_1e_10(
    options: Options, architecture: str, recipe: Recipe
) -> None:
    options = options | {"width": 8}
    asked = unit("module", options, architecture, recipe=recipe)
    trained = begin(asked)
    advance(trained, STEPS)
    for index, each in enumerate(REPLICAS):
        module, model = plain("module", options, architecture)
        images = images_of(asked, index, STEPS)
        check_equal(trained, index, module, train_plainly(module, model, each, recipe, images))


def test_a_copy_beside_a_nan_is_torchvision_s_own_module() -> None:
    """Scores, gradients and running statistics; laws of 30 steps hold for ``module``, whose
    networks train by the same code and are a thousand times smaller."""
    space = registry.create("torchvision")
    copies = space.build("resnet18", 2, SHAPE, 10)
    plain_module = make_module(space, "resnet18", SHAPE, 10, "cpu")  # type: ignore[arg-type]
    assert isinstance(copies, Replicated)
    with torch.no_grad():
        for name, parameter in plain_module.named_parameters():
            copies.held[name][0].fill_(math.nan)
            copies.held[name][1].copy_(parameter)
    images = torch.randn(4, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(4)
    logits = copies(images.repeat(1, 2, 1, 1))[1]
    F.cross_entropy(logits, labels).backward()
    expected = plain_module(images)
    F.cross_entropy(expected, labels).backward()
    torch.testing.assert_close(logits, expected)
    for name, parameter in plain_module.named_parameters():
        gradient = copies.held[name].grad
        assert gradient is not None
        torch.testing.assert_close(gradient[1], parameter.grad, msg=name)
    for number, name in enumerate(copies.buffer_names):
        buffer = getattr(copies, f"buffer{number}")[1]
        torch.testing.assert_close(buffer, plain_module.get_buffer(name), msg=name)


@networks
def test_groups_and_branch_ends_are_those_of_the_trace(
    name: str, options: Options, architecture: str
) -> None:
    space = registry.create(name, **options)
    with torch.device("meta"):
        module = space.build(architecture, 2, SHAPE, 10)
    assert isinstance(module, Replicated)
    kinds, ends = rate_groups.group_parameters(module), rate_groups.branch_ends(module)
    _, model = plain(name, options, architecture)
    found = {
        key: (kinds[p], rate_groups.BRANCH) if p in ends else (kinds[p],)
        for p, key in module.parameter_names().items()
    }
    assert found == group_named(model)


def test_one_step_is_that_of_the_module() -> None:
    """E[(dz)^2] of every layer, to first order in the rate, and rows of an updates unit."""
    options: Options = {"width": 4}
    small = (replica(1e-4, 0),)
    asked = unit("module", options, "module-2", small, replace(PLAIN_SGD, batch=9, validation=0.8))
    (row,) = engine.run(replace(asked, measure="updates"))
    module, model = plain("module", options, "module-2")
    initialize_(model, "he", seed=0)
    trained = begin(replace(asked, recipe=replace(asked.recipe, precision="float64")))
    x_BKHW, y_RB = next(iter(trained.batches.epoch()))
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4)
    steps = one_step(model, (x_BKHW, y_RB[0]), optimizer)
    assert len(row["update_moments"]) == len(steps) - 1 == 3
    for update, forward, step in zip(
        row["update_moments"], row["forward_moments"], steps, strict=False
    ):
        assert update == pytest.approx(step.update, rel=1e-2)
        assert forward == pytest.approx(step.forward, rel=1e-9)


def test_attention_s_steps_are_measured() -> None:
    """One step needs derivatives that torch's fused attention has not."""
    asked = unit("module", {"width": 8, "factory": TRANSFORMER}, "module-1", (replica(1e-3, 0),))
    (row,) = engine.run(replace(asked, measure="updates", recipe=replace(PLAIN_SGD, batch=9)))
    assert all(0 < moment < math.inf for moment in row["update_moments"])


def test_update_curves_have_every_layer() -> None:
    recipe = replace(RECIPE, steps=3, update_every=2)
    (row, _) = engine.run(unit("module", {"width": 4}, "module-2", recipe=recipe))
    assert row["update_curve_steps"] == [0, 2]
    assert [len(moments) for moments in row["update_curve"]] == [3, 3]


def depth(factory: str, *names: str, recipe: Recipe = PLAIN_SGD) -> Depth:
    return Depth(
        name="rungs",
        space="module",
        options={"width": 4, "factory": f"support.factories:{factory}"},
        rules=names,
        depths=(1, 3),
        rates=(0.1, 0.2),
        recipe=recipe,
    )


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        (
            depth("build_bare_branches", "tuned-constant", "depth-mup"),
            "rule depth-mup cannot be applied to module-3: it scales residual branches, but the "
            "branch that 2 ends is no module's output",
        ),
        (
            depth("build_transformer", "path-cubed:all-edges"),
            "rule path-cubed:all-edges cannot be applied to module-1: its weights go with scaled",
        ),
        (
            depth("build_seven_classes", "default"),
            "it gives 7 class scores where the images have 10 classes",
        ),
        (depth("build_nothing", "default"), "module-1 is a int, not a torch module"),
        (depth("build_absent", "default"), "support.factories has no function 'build_absent'"),
        (
            Updates(
                name="steps",
                space="module",
                rules=("tuned-constant",),
                depths=(1, 2),
                recipe=replace(PLAIN_SGD, pin_forward_moments=True),
            ),
            "rule tuned-constant cannot be applied to module-1: recipe field pin_forward_moments",
        ),
    ],
)
def test_what_cannot_be_applied_is_said_when_the_study_is_planned(
    part: Depth | Updates, sentence: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        plan(Study(name="one", question="?", parts=(part,)), lambda _: None)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bare_branches_without_a_multiplier_are_planned() -> None:
    part = depth("build_bare_branches", "tuned-constant", "effective-depth")
    assert plan(Study(name="one", question="?", parts=(part,)), lambda _: None)


def test_every_rule_has_a_rate_for_torchvision_s_networks() -> None:
    space = registry.create("torchvision")
    assert space.base_architecture == "resnet18"
    assert space.parse("torchvision-34") == space.parse("resnet34") == "resnet34"
    assert [space.topology(each).residual_blocks for each in ("resnet18", "resnet34")] == [8, 16]
    for name in rules.registry():
        optimizer = rules.rule(name).optimizers[0]
        given = rules.bundles(name, space, ["resnet18", "resnet34"], optimizer=optimizer)
        for bundle in given:
            assert bundle is not None
            assert 0 < bundle.lr_multiplier < math.inf


@pytest.mark.parametrize("text", ["resnet19", "torchvision-19", "mlp-3", "vit_b_16"])
def test_an_unknown_name_is_answered_with_those_there_are(text: str) -> None:
    with pytest.raises(InvalidInput, match="write one of resnet18, resnet34"):
        registry.create("torchvision").parse(text)
