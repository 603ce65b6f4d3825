"""What others do with a trace: read topologies by rules, scale branches by module path."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import ConvNeXt, VisionTransformer, resnet18
from torchvision.models.convnext import CNBlockConfig

from benchmark.rules import Control, Reading, bundles, registry
from search_spaces.registry import create
from search_spaces.traced import graph_of

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "resnet18": lambda: resnet18(num_classes=5),
    "vit": lambda: VisionTransformer(32, 16, 2, 2, 16, 32, num_classes=5),
    "convnext": lambda: ConvNeXt(
        [CNBlockConfig(8, 16, 2), CNBlockConfig(16, None, 1)],
        stochastic_depth_prob=0,
        num_classes=5,
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_hook_on_a_branch_end_scales_the_whole_branch(name: str) -> None:
    """At 0, what the last layers of the branches hold no longer matters; at 1 it does."""
    module = NETWORKS[name]().eval()
    torch.manual_seed(0)
    for parameter in module.parameters():  # heads start at 0, scales at 1e-6
        nn.init.normal_(parameter, std=0.3)
    x = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    network = graph_of(module, (x,))
    ends = {
        layer.module: use.branch_end for layer in network.layers for use in layer.uses if use.branch
    }
    assert len(ends) == network.residual_blocks == len(set(ends.values()))
    for factor in (0.0, 1.0):

        def scale(_module: nn.Module, _inputs: object, y: Tensor, factor: float = factor) -> Tensor:
            return y * factor

        hooks = [module.get_submodule(end).register_forward_hook(scale) for end in ends.values()]
        with torch.no_grad():
            before = module(x)
            for layer in ends:
                weight = module.get_parameter(f"{layer}.weight")
                weight.mul_(-1.5)
            after = module(x)
        for hook in hooks:
            hook.remove()
        assert torch.equal(before, after) == (factor == 0)


@pytest.mark.parametrize(
    ("space", "target"),
    [("resnet", "resnet-6"), ("vit", "vit-3"), ("mlp", "mlp-7"), ("cnn", "cnn-4")],
)
def test_every_rule_prescribes_the_same_from_a_trace(space: str, target: str) -> None:
    """Readings of traced networks are those of the space's own graphs."""
    found = create(space, width=8)
    readings: list[dict[str, Reading]] = []
    for architecture in (target, found.base_architecture):
        with torch.device("meta"):
            module = found.build(architecture, 1, (1, 8, 8))
        topology = graph_of(module, (torch.zeros(2, 1, 8, 8),)).topology
        readings.append({
            name: Reading.of(topology, rule.convention(space), rule.optimizers[0])
            for name, rule in registry().items()
        })  # fmt: skip
    for name, rule in registry().items():
        if not isinstance(rule, Control):
            (written,) = bundles(name, found, [target], optimizer=rule.optimizers[0])
            assert rule.bundle(readings[0][name], readings[1][name]) == written
