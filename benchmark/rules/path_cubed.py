"""``path-cubed``: the rate falls as the inverse root of the summed cubes of all path lengths."""

import math

from benchmark.rules.grammar.forms import side_ratio
from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """eta = c (sum_p L_p^3 / base)^(-1/2) x 3/k, weights of variance 2 / (fan_in d_in).

    arXiv 2402.17440: the rate in section 3, the initialization in eq. 12 (in-degree of the edge's
    target); the kernel factor takes the side k, as in the released code. Three things differ from
    the paper's networks. The readout here has variance 1/n and the paper's 1/n^2 (eq. 2): the form
    ``:mean-field-readout`` is the paper's. Its eq. 1 sums weighted edges alone, where eq. 12 keeps
    the second moment; identity skips carry theirs unscaled, so that it grows by a half in every
    residual block: ``:all-edges`` scales skips too and keeps it. Not in our networks: those of its
    released code, unless asked for: ``:released-code`` draws its weights on DAGs, the spaces'
    option ``form="released-code"`` builds them, ``:released-path-count`` counts their paths, and
    ``:released-cell-weights`` draws its weights on NAS-Bench-201.
    """
    if not target.paths.sum_cubes or not base.paths.sum_cubes:
        raise ValueError("no path passes a nonlinearity before a weighted layer")
    ratio = base.paths.sum_cubes / target.paths.sum_cubes
    return Bundle("in-degree-target", 1.0, math.sqrt(ratio) * side_ratio(target))


RULE = Rule(
    name="path-cubed",
    version=1,
    source="arXiv 2402.17440 (ICLR 2024)",
    formula="eta = c (sum over paths of L_p^3)^(-1/2) x 3/k",
    prescribe=prescribe,
    conventions={"nasbench201": "chen2024-cell", "*": "chen2024-dag-paper"},
)
