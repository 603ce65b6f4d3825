"""Compiled, wrapped and sharded modules: groups hold what is trained, or a sentence says why."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch._C._distributed_c10d import HashStore
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

from benchmark.models import (
    Network,
    initialize_,
    one_step,
    parameter_groups,
    rates,
    read_network,
    scale_branches,
)
from search_spaces.errors import InvalidInput

IMAGES = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.LayerNorm(6), nn.Linear(6, 6)

    def forward(self, x: Tensor) -> Tensor:
        branch: Tensor = self.linear(self.norm(x).relu())
        return x + branch


def make(blocks: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(6, 6), *(Block() for _ in range(blocks)), nn.Linear(6, 3))


@pytest.fixture
def one_process() -> Iterator[None]:
    """A group of one process, which is enough to wrap and to shard."""
    dist.init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def held(network: Network) -> tuple[set[int], list[str]]:
    groups = parameter_groups(network, "depth-mup", network, lr=0.1)
    return {id(p) for group in groups for p in group["params"]}, [g["name"] for g in groups]


def test_a_compiled_module_has_the_groups_of_the_plain_one() -> None:
    plain, module = make(), make()
    module.load_state_dict(plain.state_dict())
    compiled: Any = torch.compile(module)
    networks = [read_network(each, IMAGES) for each in (plain, compiled)]
    parameters, names = held(networks[1])
    assert parameters == {id(p) for p in module.parameters()}
    assert names == held(networks[0])[1]
    for network in networks:
        initialize_(network, "residual-aware", seed=1)
    assert all(map(torch.equal, plain.parameters(), module.parameters()))
    assert len(scale_branches(networks[1], 0.5)) == 2


@pytest.mark.usefixtures("one_process")
def test_what_was_read_before_sharding_groups_what_is_trained_after() -> None:
    module = make()
    network = read_network(module, IMAGES)
    before = held(network)[1]
    fully_shard(module, mesh=init_device_mesh("cpu", (1,)))
    assert held(network) == ({id(p) for p in module.parameters()}, before)
    optimizer = torch.optim.SGD(parameter_groups(network, "depth-mup", network, lr=0.1))
    module(IMAGES).sum().backward()
    optimizer.step()
    with pytest.raises(InvalidInput, match="is wrapped or sharded for several processes"):
        read_network(module, IMAGES)


@pytest.mark.usefixtures("one_process")
def test_a_wrapped_module_is_to_be_traced_before() -> None:
    wrapped: Any = DistributedDataParallel(make())
    with pytest.raises(InvalidInput, match=r"DistributedDataParallel is wrapped .* before that"):
        read_network(wrapped, IMAGES)


def test_a_module_that_was_not_read_is_one_sentence_everywhere() -> None:
    module: Any = make()
    network = read_network(module, IMAGES)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    batch = (IMAGES, torch.tensor([0, 1]))
    calls: list[Callable[[], object]] = [
        lambda: rates(module, network, 0.1),
        lambda: rates(network, module, 0.1),
        lambda: parameter_groups(module, "mup", network, lr=0.1),
        lambda: parameter_groups(network, "mup", module, lr=0.1),
        lambda: initialize_(module, "he"),
        lambda: scale_branches(module, 0.5),
        lambda: one_step(module, batch, optimizer),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match="a Sequential is not enough here; give what"):
            call()
    for name in ("resnet-8", "torchvision:resnet18"):
        with pytest.raises(InvalidInput, match=f"'{name}' is not enough here"):
            parameter_groups(name, "mup", network, lr=0.1)  # type: ignore[arg-type]
