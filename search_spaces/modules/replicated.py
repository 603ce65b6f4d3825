"""R copies of one plain torch module, trained as one network whose parameters lead with R.

Layers of other packages have no replica axis: the copies run one after the other, each with its
slice of the parameters, so that a replica's numbers do not depend on who trains beside it. What
initializations, rules and measurements need to know of the layers comes from the module's trace.

Shape suffixes: R replicas, B batch, C channels or classes, K = R x C, H height, W width.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from search_spaces.errors import InvalidInput
from search_spaces.layers import BranchScale, Node
from search_spaces.modules.batch_norm import BATCH_NORMS, RankStatistics
from search_spaces.modules.random_streams import RandomStreams
from search_spaces.modules.slots import Slots
from search_spaces.modules.traced_weights import HeldParameters, repeat_tensor
from search_spaces.traced.weight_norm import explain_computed, find_weight_norms

if TYPE_CHECKING:
    from search_spaces.traced import TracedNetwork


class Replicated(nn.Module):
    """``module`` R times: x_BKHW -> logits_RBC, with every parameter and buffer R first.

    ``module`` gives the values that no initialization draws, and is emptied. Nodes are the outputs
    of the traced layers' modules in the order of their calls, and the logits last. Raises
    ``InvalidInput`` for a module that cannot be run in copies.
    """

    def __init__(self, module: nn.Module, traced: TracedNetwork, replicas: int) -> None:
        super().__init__()
        prepare_norms(module, traced.name)
        self.replicas, self.traced = replicas, traced
        self.held = HeldParameters(module, traced, replicas)
        self.buffer_names: list[str] = []
        persistent = module.state_dict()
        for number, (name, buffer) in enumerate(module.named_buffers()):
            copies = repeat_tensor(buffer, replicas)
            self.register_buffer(f"buffer{number}", copies, persistent=name in persistent)
            self.buffer_names.append(name)
        self.branch = BranchScale(replicas, replica_axis=0)
        self.streams = RandomStreams(replicas, traced.draws)
        norms = {path: find_module(module, path) for path in traced.batch_norms}
        self.statistics = RankStatistics(norms)
        self.node = Node(0, replica_axis=0)
        self.slots = Slots(module)
        self.computed = explain_computed(traced.layers, find_weight_norms(module))
        self.copy = (module.to("meta"),)  # a tuple: the copy's own parameters are not trained

    @property
    def module(self) -> nn.Module:
        """The module that runs for every replica in turn, without numbers of its own."""
        return self.copy[0]

    def train(self, mode: bool = True) -> Replicated:
        """Set the mode, of the copy too."""
        super().train(mode)
        if hasattr(self, "copy"):
            self.module.train(mode)
        return self

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Class scores of every replica."""
        x_BRCHW = x_BKHW.unflatten(1, (self.replicas, -1))
        parameters = {name: self.held[name].unbind(0) for name in self.held.places}
        buffers = {
            name: getattr(self, f"buffer{number}") for number, name in enumerate(self.buffer_names)
        }
        recorded: dict[int, list[Tensor]] = defaultdict(list)
        recording = bool(self.node._forward_hooks)
        logits = []
        for index in range(self.replicas):
            with (
                self.slots.holding(
                    {name: parts[index] for name, parts in parameters.items()},
                    {name: buffer[index] for name, buffer in buffers.items()},
                ),
                self._hooked(index, recorded[index] if recording else None),
                self.streams.drawing(index, x_BKHW.device),
            ):
                x_BCHW = x_BRCHW[:, index].contiguous()
                logits.append(require_scores(self.module(x_BCHW), self.traced.name))
        for values in zip(*recorded.values(), strict=True):
            self.node(torch.stack(values))
        return torch.as_tensor(self.node(torch.stack(logits)))

    def find_obstacle(self, *, branches: bool, skips: bool) -> str:
        """Why a rule's weights, or its factors of residual branches or of edges without weights,
        cannot be applied to this module; empty where they can."""
        if self.computed:
            return self.computed
        if skips and self.traced.residual_blocks:
            return (
                "its weights go with scaled skips, which a module of another package has no place "
                "for; leave the form all-edges out"
            )
        for layer in self.traced.layers if branches else ():
            for use in layer.uses:
                if use.branch and not use.branch_end:
                    return (
                        f"it scales residual branches, but the branch that {layer.module} ends is "
                        "no module's output; end it with a module, such as torch.nn.Identity"
                    )
        return ""

    def parameter_names(self) -> dict[nn.Parameter, str]:
        """The name that each parameter has in the module."""
        return {self.held[name]: name for name in self.held.places}

    @contextmanager
    def _hooked(self, index: int, recorded: list[Tensor] | None) -> Iterator[None]:
        """One replica's branch multiplier in force, and its layers' outputs written down."""
        handles = []
        if self.branch.active:
            multiplier = self.branch.multiplier_R[index]
            ends = {
                u.branch_end: None for each in self.traced.layers for u in each.uses if u.branch
            }
            for end in ends:
                hook = scale_output(multiplier)
                handles.append(self.module.get_submodule(end).register_forward_hook(hook))
        if recorded is not None:
            paths = {each.module: None for each in self.traced.layers if not each.readout}
            for path in paths:
                hook = write_output(recorded)
                handles.append(self.module.get_submodule(path).register_forward_hook(hook))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def scale_output(multiplier: Tensor) -> Callable[[nn.Module, Any, Any], Any]:
    """A forward hook that multiplies what a module gives; of a tuple (attention's) the first."""

    def scale(_module: nn.Module, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0] * multiplier, *output[1:])
        return output * multiplier

    return scale


def write_output(recorded: list[Tensor]) -> Callable[[nn.Module, Any, Any], None]:
    """A forward hook that appends what a module gives; of a tuple (attention's) the first."""

    def write(_module: nn.Module, _inputs: Any, output: Any) -> None:
        recorded.append(output[0] if isinstance(output, tuple) else output)

    return write


def require_scores(output: object, name: str) -> Tensor:
    """What a copy gives; raises ``InvalidInput`` unless it is class scores, (B, C), alone."""
    if not isinstance(output, Tensor) or output.dim() != 2:
        told = type(output).__name__
        if isinstance(output, Tensor):
            told = "tensor of " + " x ".join(map(str, output.shape))
        raise InvalidInput(
            f"{name} must give class scores, one tensor of batch x classes; it gives a {told}"
        )
    return output


def find_module(module: nn.Module, path: str) -> nn.Module:
    """The module of a path, as traces name it; code of the network itself is the whole."""
    return module.get_submodule(path if path in dict(module.named_modules()) else "")


def prepare_norms(module: nn.Module, name: str) -> None:
    """Leave the batch norms' counts of batches out: nothing reads them where momentum is fixed.

    Raises ``InvalidInput`` for a batch norm whose average has no fixed momentum.
    """
    for path, layer in module.named_modules():
        if isinstance(layer, BATCH_NORMS):
            if layer.momentum is None:
                raise InvalidInput(
                    f"{name}: batch norm {path} has momentum=None, a cumulative average; give it "
                    "one, such as 0.1"
                )
            layer.num_batches_tracked = None
