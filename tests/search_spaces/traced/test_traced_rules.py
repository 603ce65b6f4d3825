"""What counts as a merge, as one edge, as a gate; what is refused, and how sharing is seen."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from search_spaces.conventions import CONVENTIONS
from search_spaces.errors import InvalidInput
from search_spaces.traced import TracedNetwork, graph_of

Branch = Callable[[Tensor], Tensor]


class Written(nn.Module):
    """``forward`` is ``code(self, x)`` of the stem's output; a, b and c are layers of one width."""

    def __init__(self, code: Callable[["Written", Tensor], Tensor], width: int = 4):
        super().__init__()
        self.code = code
        self.stem = nn.Linear(3, width)
        self.a, self.b, self.c = (nn.Linear(width, width) for _ in range(3))
        self.scale = nn.Parameter(torch.ones(width))
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.code(self, self.stem(x)))  # type: ignore[no-any-return]


def trace(code: Callable[[Written, Tensor], Tensor]) -> TracedNetwork:
    return graph_of(Written(code), (torch.zeros(2, 5, 3),))


def paths(network: TracedNetwork) -> int:
    return CONVENTIONS["am-mup-blocks"].statistics(network.topology).count


SUMS: dict[str, Callable[[Written, Tensor], Tensor]] = {
    "+": lambda m, x: x + m.a(x),
    "add": lambda m, x: torch.add(m.a(x), x, alpha=2),
    "add_": lambda m, x: m.a(x).add_(x),
    "+=": lambda m, x: x.clone().__iadd__(m.a(x)),
    "sum": lambda m, x: sum([x, m.a(x)]),  # type: ignore[dict-item, return-value]
    "-": lambda m, x: x - m.a(x),
    "stack": lambda m, x: torch.stack([x, m.a(x)]).sum(0),
    "stack, last axis": lambda m, x: torch.stack((x, m.a(x)), -1).mean(-1),
    "addcmul": lambda m, x: torch.addcmul(x, m.a(x), m.scale),
    "lerp": lambda m, x: torch.lerp(x, m.a(x), 0.1),
    "addmm": lambda m, x: torch.addmm(
        x.flatten(0, 1), x.flatten(0, 1), m.a.weight
    ).view_as(x),
    "dropped": lambda m, x: x + F.dropout(m.a(x) * m.scale, 0.1),
    "no_grad": lambda m, x: x + m.a(detached(x)),
}  # fmt: skip


def detached(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x * 2


@pytest.mark.parametrize("spelling", SUMS)
def test_a_residual_addition_however_it_is_spelled(spelling: str) -> None:
    network = trace(SUMS[spelling])
    assert network.graph.in_degrees == (0, 1, 2, 1)
    assert network.residual_blocks == 1
    assert [(layer.module, layer.role, layer.branch) for layer in network.layers] == [
        ("stem", "stem", False),
        ("a", "body", True),
        ("head", "head", False),
    ]
    assert network.layer("a").target_in_degree == network.layer("head").source_in_degree == 2


NO_MERGES: dict[str, Callable[[Written, Tensor], Tensor]] = {
    "positions": lambda m, x: m.a(x + m.scale),
    "masks of its shape": lambda m, x: m.a(x + x.new_zeros(x.shape) + torch.ones_like(x)),
    "a class token": lambda m, x: m.a(torch.cat([m.scale.expand(2, 1, -1), x], 1)),
    "gelu written out": lambda m, x: m.a(
        0.5 * x * (1 + torch.tanh(0.8 * (x + 0.045 * x**3)))
    ),
    "a norm written out": lambda m, x: m.a(
        (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
    ),
    "halves turned": lambda m, x: m.a(torch.cat([-x[..., 2:], x[..., :2]], -1) + x),
    "silu": lambda m, x: m.a(x * torch.sigmoid(x)),
    "swapped by a write": lambda m, x: m.a(torch.zeros_like(x).copy_(x)),
    "python's number": lambda m, x: m.a(sum([x])),
}  # fmt: skip


@pytest.mark.parametrize("spelling", NO_MERGES)
def test_what_is_no_merge(spelling: str) -> None:
    network = trace(NO_MERGES[spelling])
    assert network.graph.in_degrees == (0, 1, 1, 1)
    activated = network.graph.edges[1].operation.activated
    assert activated == (spelling in ("gelu written out", "silu"))


MERGES: dict[str, tuple[Callable[[Written, Tensor], Tensor], tuple[int, ...], int]] = {
    # (code, in-degrees, additions that sum)
    "three terms": (lambda m, x: x + m.a(x) + m.b(x), (0, 1, 3, 1), 1),
    "a sum of two sums": (lambda m, x: m.c(x + m.a(x)) + (x + m.a(x)), (0, 1, 2, 3, 1), 2),
    "one after the other": (
        lambda m, x: (y := x + m.a(x)) + m.b(y),
        (0, 1, 2, 2, 1),
        2,
    ),
    "pooled beside itself": (lambda m, x: x + x.mean(1, keepdim=True), (0, 1, 2, 1), 1),
    "concatenation": (lambda m, x: torch.cat([x, m.a(x)], 1), (0, 1, 2, 1), 0),
    "concatenated again": (
        lambda m, x: torch.cat([torch.cat([x, m.a(x)], 1), m.b(x)], 1),
        (0, 1, 3, 1),
        0,
    ),
    "added to a part": (
        lambda m, x: write_part(m.a(x), x),
        (0, 1, 1, 2, 2, 1),
        1,
    ),
    "no shortcut": (lambda m, x: m.a(x) + m.b(x), (0, 1, 2, 1), 1),
}


def write_part(y: Tensor, x: Tensor) -> Tensor:
    y[..., :2] += x[..., :2]
    return y


@pytest.mark.parametrize("spelling", MERGES)
def test_merges_of_other_forms(spelling: str) -> None:
    code, in_degrees, additions = MERGES[spelling]
    network = trace(code)
    assert network.graph.in_degrees == in_degrees
    assert network.residual_blocks == additions


ONE_EDGE: dict[str, Callable[[Written, Tensor], Tensor]] = {
    "attention": lambda m, x: F.scaled_dot_product_attention(m.a(x), m.b(x), m.c(x)),
    "attention written out": lambda m, x: (
        torch.softmax(m.a(x) @ m.b(x).transpose(1, 2) / 2 + m.scale.sum(), -1) @ m.c(x)
    ),
    "a gated unit": lambda m, x: F.silu(m.a(x)) * m.b(x),
}  # fmt: skip


@pytest.mark.parametrize("spelling", ONE_EDGE)
def test_projections_of_one_value_are_one_edge(spelling: str) -> None:
    network = trace(ONE_EDGE[spelling])
    assert paths(network) == 1
    assert network.graph.in_degrees == (0, 1, 1, 1)
    kind = "attention" if spelling.startswith("attention") else "linear"
    assert network.graph.edges[1].operation.kind == kind
    assert network.graph.edges[2].operation.activated
    assert all(len(layer.uses) == 1 for layer in network.layers)


@pytest.mark.parametrize("norm_first", [False, True])
def test_transformer_layers_of_torch(norm_first: bool) -> None:
    """Two layers, each of two residual additions: 4^2 paths, whatever code computes attention."""
    layer = nn.TransformerEncoderLayer(8, 2, 16, norm_first=norm_first)
    network = graph_of(
        nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), torch.ones(5, 2, 8)
    )
    assert paths(network) == 4**2
    assert network.residual_blocks == 4
    assert [use.branch_end for each in network.layers for use in each.uses if use.branch] == [
        f"layers.{number}.dropout{branch}" for number in (0, 1) for branch in (1, 2)
    ]


def test_attention_that_returns_its_weights() -> None:
    class Attending(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.attention(x, x.clone(), x + 0, need_weights=True)[0]  # type: ignore[no-any-return]

    network = graph_of(Attending(), torch.ones(5, 2, 4))
    assert paths(network) == 2
    assert [(each.module, len(each.uses)) for each in network.layers] == [
        ("attention", 1),
        ("attention.out_proj", 1),
    ]


def test_an_encoder_and_a_decoder() -> None:
    """Cross attention: the decoder's queries weigh the encoder's values, which carry the paths.

    The encoder's layer has 4 paths; the decoder's stream s meets, in turn, its own attention (2
    ways), the encoder's values (s + 4 ways) and a net (2 ways): (2 + 4) * 2.
    """
    module = nn.Transformer(8, 2, 1, 1, 16, batch_first=True)
    network = graph_of(module, (torch.ones(2, 5, 8), torch.ones(2, 3, 8)))
    assert paths(network) == 12
    assert network.residual_blocks == 2 + 3


def test_paths_do_not_run_through_a_gate() -> None:
    """Squeeze and excitation: c and b only weigh what a makes."""
    network = trace(
        lambda m, x: x + (y := m.a(x)) * torch.sigmoid(m.c(F.relu(m.b(y.mean(1, keepdim=True)))))
    )
    assert paths(network) == 2
    assert network.layer("a").branch
    for name in "bc":
        assert network.layer(name).uses == ()
        assert network.layer(name).reason == "on no path: makes a gate"


def test_values_of_another_source_carry_the_path() -> None:
    """Queries of x, keys and values of a deeper value: paths run along the values."""
    network = trace(lambda m, x: F.scaled_dot_product_attention(m.a(x), *[m.c(m.b(x))] * 2))
    assert [len(network.layer(name).uses) for name in "abc"] == [0, 1, 1]


REFUSED: dict[str, tuple[Callable[[Written, Tensor], Tensor], str]] = {
    "an unbounded gate": (
        lambda m, x: x * m.a(x),
        "mul at the network itself multiplies two values",
    ),
    "unknown operations": (
        lambda m, x: torch.cumsum(torch.fft.fft2(m.a(x)).real, 1),
        "no rule for fft_fft2 .*, cumsum",
    ),
    "a cut path": (lambda m, x: torch.zeros_like(m.a(x)), "does not depend on the input"),
    "larger of two values": (lambda m, x: torch.maximum(x, m.a(x)), "maximum of two values"),
    "a shape that does not fit": (
        lambda m, x: x.view(7, 7),
        "Written does not export for an input of 2x5x3: .*7",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_rule_is_refused_in_one_sentence(what: str) -> None:
    code, message = REFUSED[what]
    with pytest.raises(InvalidInput, match=message) as caught:
        trace(code)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_are_refused(kind: type[nn.Module]) -> None:
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cells = kind(3, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.cells(x)[0]  # type: ignore[no-any-return]

    with pytest.raises(InvalidInput, match="cells is a recurrent layer"):
        graph_of(Last(), (torch.zeros(2, 5, 3),))


def test_a_module_used_twice_is_one_layer_at_two_places() -> None:
    network = trace(lambda m, x: m.a(F.relu(m.a(x))))
    layer = network.layer("a")
    assert [(use.source, use.target) for use in layer.uses] == [(1, 2), (2, 3)]
    assert "used 2 times" in layer.reason
    assert network.unused == ("", "b", "c")  # `scale` is the network's own


def test_tied_weights_are_one_layer() -> None:
    """A language model whose head is its embedding: the table is read at both ends."""

    class Language(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(11, 4)
            self.mix = nn.Linear(4, 4)
            self.head = nn.Linear(4, 11, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, tokens: Tensor) -> Tensor:
            x = self.embed(tokens)
            return self.head(x + self.mix(x))  # type: ignore[no-any-return]

    network = graph_of(Language(), (torch.zeros(2, 5, dtype=torch.long),))
    assert [layer.module for layer in network.layers] == ["embed", "mix"]
    assert [use.role for use in network.layer("embed").uses] == ["stem", "head"]
    assert network.unused == ()


@pytest.mark.parametrize("old", [False, True])
def test_computed_weights_belong_to_their_module(old: bool) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
    if old:
        with pytest.warns(FutureWarning):
            nn.utils.weight_norm(module[0])
    else:
        parametrizations.weight_norm(module[0])
    network = graph_of(module, (torch.zeros(2, 3),))
    assert [layer.module for layer in network.layers] == ["0", "2"]
    assert len(network.layer("0").parameters) == 2
    assert network.layer("0").fan_in == 3


def test_mode_is_train_else_eval_and_the_module_stays_as_it_was() -> None:
    class Chance(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.last = nn.BatchNorm1d(3), nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            x = self.norm(x)
            if self.training and torch.rand(()).item() < 0.5:
                x = -x
            return self.last(x)  # type: ignore[no-any-return]

    module = Chance()
    module.norm.eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    attributes = {name: sorted(vars(child)) for name, child in module.named_modules()}
    network = graph_of(module, (torch.ones(4, 3),))
    assert network.mode == "eval"
    assert [child.training for child in module.modules()] == [True, False, True]
    assert {name: sorted(vars(child)) for name, child in module.named_modules()} == attributes
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(not child._forward_hooks for child in module.modules())
    assert graph_of(nn.Linear(3, 2), (torch.ones(4, 3),)).mode == "train"


def test_roles_can_be_chosen() -> None:
    module = Written(lambda m, x: x + m.a(x))
    inputs = (torch.zeros(2, 5, 3),)
    network = graph_of(module, inputs, roles={"a": "reduction", "head.weight": "body"})
    assert network.layer("a").role == "reduction"
    assert network.layer("a").reason == "chosen by the caller"
    assert not network.layer("head").readout
    assert [edge.operation.role for edge in network.graph if edge.operation.weighted] == [
        "stem", "reduction", "body",
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="no layer 'aa'; did you mean a"):
        graph_of(module, inputs, roles={"aa": "body"})
    with pytest.raises(InvalidInput, match="'neck' is no role; choose one of stem"):
        graph_of(module, inputs, roles={"a": "neck"})  # type: ignore[dict-item]


def test_the_first_layer_of_a_plain_chain_is_its_body() -> None:
    """As papers count: three layers and a head are depth 3, the first among them."""
    chain = nn.Sequential(
        nn.Conv2d(3, 4, 3),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, 2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(36, 2),
    )
    network = graph_of(chain, (torch.zeros(2, 3, 9, 9),))
    assert [layer.role for layer in network.layers] == ["body", "body", "head"]
    assert CONVENTIONS["am-mup-blocks"].statistics(network.topology).min == 2
    assert network.topology.kernel == 3
