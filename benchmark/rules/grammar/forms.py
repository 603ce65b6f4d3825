"""Forms of a rule, written ``RULE:FORM``: the choices in which papers and their code differ."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmark.rules.grammar.rule import Bundle, Form, Reading, drop_ones, multiply_factors
from search_spaces.errors import InvalidInput

IN_DEGREE = "in-degree-target"


def rate_only(bundle: Bundle, target: Reading) -> Bundle:
    """The rate alone, with He initialization: published comparisons mix the two."""
    return replace(bundle, initialization="he", branch_multiplier=1.0)


def init_only(bundle: Bundle, target: Reading) -> Bundle:
    """The initialization and branch multiplier alone, at one tuned rate: with ``rate-only`` it
    says which of the two a gain comes from."""
    return replace(bundle, lr_multiplier=1.0, factors=())


def source_in_degree(bundle: Bundle, target: Reading) -> Bundle:
    """d_in of the edge's source in place of its target: eq. 4 of arXiv 2402.17440.

    The networks and the count of in-degrees stay the paper's (dead edges left out, pre-activation);
    what its released code draws instead is ``released-code``.
    """
    scheme = bundle.initialization.replace(IN_DEGREE, "in-degree-source")
    return replace(bundle, initialization=scheme)


def all_edges(bundle: Bundle, target: Reading) -> Bundle:
    """Every incoming edge is scaled by the in-degree, those without weights (skips, pooling) by
    d_in^(-1/2) in the forward pass.

    Eq. 12 of arXiv 2402.17440 keeps the second moment where all edges have weights, as in its
    eq. 1; this form keeps it in residual nets too, where one identity skip enters a node. Several
    skips into one node carry the same signal and add coherently, so that there it still grows, by
    less. An extrapolation of this suite; the rate stays the paper's.
    """
    scheme = bundle.initialization.replace(IN_DEGREE, "in-degree-all-edges")
    return replace(bundle, initialization=scheme)


def released_code(bundle: Bundle, target: Reading) -> Bundle:
    """The weights of the released code of arXiv 2402.17440 on DAGs: fan-out in place of fan-in,
    d_in of the source, a readout of variance 4 / C^2 for C classes.

    Its networks (an activation after every edge and after the stem, biases, in-degrees that count
    dead edges, which differ for 7,956 of 56,578 DAGs) are those of the spaces' option
    ``form="released-code"``; its off-by-one path count is the form ``released-path-count``, what it
    draws on NAS-Bench-201 the form ``released-cell-weights``.
    """
    scheme = bundle.initialization.replace(IN_DEGREE, "in-degree-fan-out")
    # Without an addition the rule was named He's, which draws from the fan-in.
    scheme = "in-degree-fan-out" if not target.residual_blocks else scheme
    return replace(bundle, initialization=scheme)


def released_path_count(bundle: Bundle, target: Reading) -> Bundle:
    """Paths of DAGs counted as the released code of arXiv 2402.17440 counts them: 3 + the linear
    layers, where the text has 1 + (convention ``chen2024-dag-code``).

    The code's base is one path of 3, meant for a network of one linear layer, to which it then
    gives 0.65 of its own rate. The base DAG here has skips alone and counts 3 as well, so that the
    multipliers are the code's.
    """
    return bundle


def released_cell_weights(bundle: Bundle, target: Reading) -> Bundle:
    """The weights of the released code of arXiv 2402.17440 on NAS-Bench-201 (models/cells.py and
    tiny_network.py): 2 / (fan_in d_in), d_in of the edge's source.

    The code counts in-degrees within the cell, dead edges among them: the cell's input has 1, where
    the paper's d_in here is that of the cell before. In a reduction it gives 2 to the first
    convolution and to the shortcut, which share a source, and 1 to the second. The readout has
    4 / n^2. Batch norm follows every weight but the shortcut's and the readout's, so that elsewhere
    only the effective rate differs.
    """
    readout = bundle.initialization.partition("+")[2]
    scheme = "in-degree-cell" + (f"+{readout}" if readout else "")
    return replace(bundle, initialization=scheme)


def kernel_squared(bundle: Bundle, target: Reading) -> Bundle:
    """The kernel factor as (3/k)^2, q being the number of taps."""
    return replace(bundle, lr_multiplier=bundle.lr_multiplier * side_ratio(target))


def kernel_none(bundle: Bundle, target: Reading) -> Bundle:
    """No kernel factor."""
    return replace(bundle, lr_multiplier=bundle.lr_multiplier / side_ratio(target))


def mean_field_readout(bundle: Bundle, target: Reading) -> Bundle:
    """Readout weights of variance 1/n^2 (arXiv 2402.17440, 2510.04327) in place of 1/n."""
    scheme = bundle.initialization.partition("+")[0]
    kept = drop_ones({k: v for k, v in bundle.factors if k != "readout-variance"})
    return replace(bundle, initialization=f"{scheme}+mean-field", factors=kept)


def weight_variance(bundle: Bundle, target: Reading) -> Bundle:
    """Branch multipliers a = K^(-1/2) moved into the weights: the same training, exactly.

    A branch's last layer holds W' = a W. SGD has to move it by a^2 times the gradient's own step,
    so that its rate is 1/K of the others' (and its weight decay K times); AdamW, whose step has no
    scale, by a, with epsilon and decay times 1/a. Exact without normalization inside the branch
    and without gradient clipping.
    """
    K = max(1, target.residual_blocks)
    if target.optimizer == "sgd":
        own = {"branch": 1 / K, "branch-decay": K}
    else:
        own = {"branch": K**-0.5, "branch-decay": K**0.5, "branch-epsilon": K**0.5}
    return replace(
        move_into_weights(bundle, target), factors=multiply_factors(bundle.factors, drop_ones(own))
    )


def weight_variance_all_rates(bundle: Bundle, target: Reading) -> Bundle:
    """Variance 1/K at the end of branches and the rate x 1/K for all parameters alike.

    One rate for the whole network, as papers compare: the branches' last weights train as with
    ``weight-variance``, all others K times slower. So Depth-muP's constant rate becomes K^-1.
    """
    rate = bundle.lr_multiplier / max(1, target.residual_blocks)
    return replace(move_into_weights(bundle, target), lr_multiplier=rate)


def move_into_weights(bundle: Bundle, target: Reading) -> Bundle:
    """Branch multipliers K^(-1/2) as weights of variance 1/K.

    Raises ``InvalidInput`` where another form has removed the multipliers.
    """
    if not target.residual_blocks:
        return bundle
    scheme, plus, readout = bundle.initialization.partition("+")
    multiplier = target.residual_blocks**-0.5
    if scheme != "he" or not math.isclose(bundle.branch_multiplier, multiplier):
        raise InvalidInput(
            "form weight-variance moves branch multipliers 1/sqrt(K) into He weights, and another "
            "form of the same rule has removed them; leave one of the two out"
        )
    aware = f"residual-aware{plus}{readout}"
    return replace(bundle, initialization=aware, branch_multiplier=1.0)


BASE_KERNEL = 3
"""The kernel side at which the kernel factor is 1 (the released code's base), as for linears."""


def side_ratio(target: Reading) -> float:
    """3/k; 1 where there is no kernel."""
    return BASE_KERNEL / target.kernel if target.kernel > 1 else 1.0


FORMS: dict[str, Form] = {
    "rate-only": Form(apply=rate_only),
    "init-only": Form(apply=init_only, rated=False),
    "source-in-degree": Form(apply=source_in_degree),
    "all-edges": Form(apply=all_edges, of=("path-cubed",)),
    "released-code": Form(apply=released_code, of=("path-cubed",)),
    "released-path-count": Form(
        apply=released_path_count,
        of=("path-cubed",),
        conventions=dict.fromkeys(("dag-mlp", "dag-cnn"), "chen2024-dag-code"),
    ),
    "released-cell-weights": Form(apply=released_cell_weights, of=("path-cubed",)),
    "kernel-squared": Form(apply=kernel_squared),
    "kernel-none": Form(apply=kernel_none),
    "mean-field-readout": Form(apply=mean_field_readout),
    "weight-variance": Form(
        apply=weight_variance,
        of=("depth-mup",),
        version=2,
        earlier={1: "weights of variance 1/K, all rates x 1/K (now weight-variance-all-rates)"},
    ),
    "weight-variance-all-rates": Form(apply=weight_variance_all_rates, of=("depth-mup",)),
}
