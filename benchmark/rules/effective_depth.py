"""``effective-depth``: the rate falls as the effective depth to the power -3/2."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """eta = c (L_eff / L_base)^(-3/2), branch weights of variance c / (K fan_in).

    L_eff is the minimal length over input-output paths (arXiv 2602.07494, abstract; the exponent
    also arXiv 2510.04327, abstract). c / (K fan_in) stands on the last weighted layer of each of
    the K branches; papers with blocks of several layers say "branch weights" and may mean all. The
    readout has variance 1/n, as in the code of arXiv 2510.04327. Before a normalization the scale
    of weights has no effect forward, only on the effective rate. Width is not followed:
    ``effective-depth*mup`` follows both. Not in our networks: nothing of the abstracts; the papers'
    full texts were not at hand, so that their tables' setups may have parts that are missing here.
    """
    return Bundle("residual-aware", 1.0, target.depth_ratio(base) ** -1.5)


RULE = Rule(
    name="effective-depth",
    version=1,
    source="arXiv 2602.07494; arXiv 2510.04327",
    formula="eta = c (L_eff / L_base)^(-3/2), L_eff the minimal path length",
    prescribe=prescribe,
    conventions={"*": "wu2026-layers-and-additions"},
)
