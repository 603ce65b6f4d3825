"""Layers with a leading replica axis: R copies of one network trained as one module.

Shape suffixes: R replicas, B batch, C channels, H height, W width, T tokens, I inputs, O outputs,
K = R x C (replicas and channels folded into one axis, replica-major).

Images travel as x_BKHW, so that a grouped convolution with R groups, batch norm over K channels
and pooling are single calls; vectors travel as x_RBC, so that a linear layer is one batched matrix
product. Replicas never mix: a NaN in one leaves the others bitwise unchanged.

Parameters keep R as their first axis. They are created as zeros (ones for norms' scales):
``benchmark.training.weights.initialization`` fills them from each replica's own random stream, so
that a replica's numbers do not depend on who trains beside it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_spaces.errors import InvalidInput


class Weighted(nn.Module):
    """A layer that multiplies by trained weights, with what initializations need to know.

    ``fan_in`` counts inputs to one output unit; ``source_in_degree`` and ``target_in_degree`` are
    d_in of the nodes at the two ends of the edge (arXiv 2402.17440, eq. 4 and eq. 12); ``branch``
    marks the last weighted layer of a residual branch, whose variance residual-aware rules divide
    by K (arXiv 2510.04327); ``readout`` marks the classifier, ``reads_images`` a layer on the
    images other than the first.
    """

    weight: nn.Parameter
    bias: nn.Parameter | None

    def __init__(self, replicas: int, shape: tuple[int, ...], bias: bool) -> None:
        super().__init__()
        self.replicas = replicas
        self.weight = nn.Parameter(torch.zeros(replicas, *shape))
        self.bias = nn.Parameter(torch.zeros(replicas, shape[0])) if bias else None
        self.fan_in = int(torch.Size(shape[1:]).numel())
        self.source_in_degree = 1
        self.target_in_degree = 1
        self.branch = False
        self.readout = False
        self.reads_images = False

    @property
    def fan_out(self) -> int:
        """Outputs that one input unit reaches: the output channels times a kernel's taps."""
        outputs, inputs = self.weight.shape[1:3]
        return int(outputs) * (self.fan_in // int(inputs))

    def at(
        self,
        *,
        source_in_degree: int = 1,
        target_in_degree: int = 1,
        branch: bool = False,
        readout: bool = False,
        reads_images: bool = False,
    ) -> Weighted:
        """Say where in the graph this layer stands; returns the layer itself."""
        self.source_in_degree, self.target_in_degree = source_in_degree, target_in_degree
        self.branch, self.readout, self.reads_images = branch, readout, reads_images
        return self


class Linear(Weighted):
    """x_RBI -> y_RBO: y = W x + b, by one batched matrix product; weight_ROI, bias_RO."""

    def __init__(self, replicas: int, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(replicas, (outputs, inputs), bias)

    def forward(self, x_RBI: Tensor) -> Tensor:
        """Apply every replica's matrix to its own rows."""
        if self.bias is None:
            return torch.bmm(x_RBI, self.weight.transpose(1, 2))
        return torch.baddbmm(self.bias[:, None, :], x_RBI, self.weight.transpose(1, 2))


class Conv2d(Weighted):
    """x_BKHW -> y_BKHW by a convolution with R groups; weight_ROIqq, padding q // 2.

    The padding is zeros, or with ``circular`` the opposite border, so that all positions are alike.
    """

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        padding: int | None = None,
        circular: bool = False,
    ) -> None:
        super().__init__(replicas, (outputs, inputs, kernel, kernel), bias)
        self.stride, self.circular = stride, circular
        self.padding = kernel // 2 if padding is None else padding

    def forward(self, x_BKHW: Tensor) -> Tensor:
        """Convolve every replica's channels with its own filters."""
        bias = None if self.bias is None else self.bias.flatten()
        padding = self.padding
        if self.circular and padding:
            x_BKHW, padding = F.pad(x_BKHW, (padding,) * 4, mode="circular"), 0
        return F.conv2d(
            x_BKHW, self.weight.flatten(0, 1), bias, self.stride, padding, groups=self.replicas
        )


class Conv1d(Weighted):
    """x_BKT -> y_BKT by a convolution with R groups; weight_ROIq, padding q // 2 as in two
    dimensions."""

    def __init__(
        self,
        replicas: int,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = False,
        circular: bool = False,
    ) -> None:
        super().__init__(replicas, (outputs, inputs, kernel), bias)
        self.stride, self.padding, self.circular = stride, kernel // 2, circular

    def forward(self, x_BKT: Tensor) -> Tensor:
        """Convolve every replica's channels with its own filters."""
        bias = None if self.bias is None else self.bias.flatten()
        padding = self.padding
        if self.circular and padding:
            x_BKT, padding = F.pad(x_BKT, (padding,) * 2, mode="circular"), 0
        return F.conv1d(
            x_BKT, self.weight.flatten(0, 1), bias, self.stride, padding, groups=self.replicas
        )


class Attention(nn.Module):
    """Multi-head self-attention of x_RBTC; the output projection is the branch's last layer.

    Queries, keys and values are node ``number`` of the graph.
    """

    def __init__(self, replicas: int, channels: int, heads: int, number: int) -> None:
        super().__init__()
        if channels % heads:
            raise InvalidInput(f"width {channels} is not a multiple of heads {heads}; change one")
        self.heads = heads
        self.qkv = Linear(replicas, channels, 3 * channels)
        self.node = Node(number, replica_axis=0)
        self.projection = Linear(replicas, channels, channels)

    def forward(self, x_RBTC: Tensor) -> Tensor:
        """Attend within every image of every replica."""
        R, B, T, C = x_RBTC.shape
        qkv_RNC = self.node(self.qkv(x_RBTC.reshape(R, B * T, C)))
        qkv = qkv_RNC.view(R * B, T, 3, self.heads, C // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        # Written out: the fused kernel has no forward-mode derivative, which one-step studies use.
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        y = scores.softmax(-1) @ value
        y_RNC = y.transpose(1, 2).reshape(R, B * T, C)
        return torch.as_tensor(self.projection(y_RNC)).view(R, B, T, C)


class Dropout(nn.Module):
    """Dropout whose mask every replica draws from a stream of its own.

    ``generators`` holds one per replica; the engine sets it, so that a replica's masks do not
    depend on who trains beside it. ``replica_axis`` says where R stands: 0 in x_RBC, 1 in x_BKHW
    (folded with the channels). ``rank`` of ``ranks`` processes has that slice of every batch, and
    of the masks that one process would draw. Streams live on the CPU, so that masks are the same
    on every device.
    """

    def __init__(self, replicas: int, rate: float, replica_axis: int) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise InvalidInput(f"dropout {rate} is not in [0, 1); give the share of units to drop")
        self.replicas, self.rate, self.replica_axis = replicas, rate, replica_axis
        self.generators: list[torch.Generator] = []
        self.rank, self.ranks = 0, 1

    def forward(self, x: Tensor) -> Tensor:
        """Zero a share of each replica's units in training, and scale up the rest."""
        if not self.training or self.rate == 0:
            return x
        if len(self.generators) != self.replicas:
            raise InvalidInput(
                f"dropout needs one generator per replica ({self.replicas}), "
                f"got {len(self.generators)}; set Dropout.generators before training"
            )
        batch_axis = 1 - self.replica_axis
        shape = list(x.chunk(self.replicas, self.replica_axis)[0].shape)
        shape[batch_axis] *= self.ranks
        masks = [
            torch.rand(shape, generator=g, dtype=x.dtype) >= self.rate for g in self.generators
        ]
        mask = torch.cat(masks, self.replica_axis).chunk(self.ranks, batch_axis)[self.rank]
        return x * mask.to(x.device) / (1 - self.rate)


class ReplicaScale(nn.Module):
    """Multiplies by one number per replica (1 by default)."""

    multiplier_R: Tensor

    def __init__(self, replicas: int, replica_axis: int, persistent: bool = True) -> None:
        super().__init__()
        self.replica_axis = replica_axis
        self.register_buffer("multiplier_R", torch.ones(replicas), persistent)
        self.active = False

    def set(self, multiplier_R: Tensor) -> None:
        """Give every replica its multiplier; all ones costs nothing in the forward pass."""
        self.multiplier_R.copy_(multiplier_R)
        self.active = bool((multiplier_R != 1).any())

    def forward(self, x: Tensor) -> Tensor:
        """Scale x_R... (axis 0) or x_BKHW (axis 1, folded with channels)."""
        if not self.active:
            return x
        size = x.shape[self.replica_axis]
        factor = self.multiplier_R.repeat_interleave(size // len(self.multiplier_R))
        return x * factor.view(
            *(1,) * self.replica_axis, size, *(1,) * (x.dim() - 1 - self.replica_axis)
        )


class BranchScale(ReplicaScale):
    """Multiplies a residual branch by each replica's branch multiplier.

    Depth-muP and CompleteP scale the branch itself (arXiv 2310.02244, 2505.01618), which is not
    the same as scaling its weights once a rate acts on them.
    """


class SkipScale(ReplicaScale):
    """An edge without weights (a skip, a pooling) into a node of in-degree ``target_in_degree``.

    Initializations that scale weighted edges by the in-degree can scale this one too. What it
    multiplies by follows from the scheme, so that no checkpoint holds it.
    """

    def __init__(self, replicas: int, replica_axis: int, target_in_degree: int) -> None:
        super().__init__(replicas, replica_axis, persistent=False)
        self.target_in_degree = target_in_degree


class Node(nn.Identity):
    """Marks a node of the graph: the pre-activation z_l whose one-step change a study measures.

    ``replica_axis`` says where R stands: 0 in x_RBC, 1 in x_BKHW (folded with the channels).
    """

    def __init__(self, number: int, replica_axis: int = 1) -> None:
        super().__init__()
        self.number, self.replica_axis = number, replica_axis


def unfold_replicas(x_BK: Tensor, replicas: int) -> Tensor:
    """x_BK -> x_RBC, from the images' layout to the vectors'."""
    return x_BK.view(x_BK.shape[0], replicas, -1).transpose(0, 1)
