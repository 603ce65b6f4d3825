"""``jelassi``: the rate of ReLU MLPs falls as depth to the power -3/2, whatever the width."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """eta = c m_L^(-3/2), He hidden weights, readout variance 1/n^2.

    Jelassi et al., arXiv 2305.07810, abstract. L is the number of layers, here the longest path;
    the paper speaks of ReLU MLPs, where all paths are one: convolutions, skips and normalization
    are an extension of this suite. Not in our networks: the limit of large width and depth, for
    which the abstract states the law.
    """
    if target.paths.max is None or base.paths.max is None:
        raise ValueError("depth is undefined without an input-output path")
    ratio = target.paths.max / base.paths.max
    return Bundle("he+mean-field", 1.0, float(ratio**-1.5))


RULE = Rule(
    name="jelassi",
    version=1,
    source="arXiv 2305.07810 (abstract)",
    formula="eta = c (L / L_base)^(-3/2), L the longest path; readout variance 1/n^2",
    prescribe=prescribe,
    conventions={"*": "chen2024-dag-paper"},
    optimizers=("sgd",),
    reads_width=True,
)
