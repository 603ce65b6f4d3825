"""``mup``: rates follow width alone."""

from benchmark.rules.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """m_N = n / n_base: SGD, input weights and vectors x m_N; AdamW, hidden weights x 1/m_N.

    Yang et al., arXiv 2203.03466, in the form whose readout is 1/n. A depth ladder keeps its width,
    so there muP is the tuned constant: that it says nothing of depth is the point of showing it.
    """
    m_N = target.width / base.width
    if target.optimizer == "sgd":
        factors = {"input": m_N, "vector": m_N, "readout": m_N}
    else:
        factors = {"hidden": 1 / m_N}
    changed = tuple(sorted((group, factor) for group, factor in factors.items() if factor != 1))
    return Bundle("he", 1.0, 1.0, changed)


RULE = Rule(
    name="mup",
    version=1,
    source="arXiv 2203.03466",
    formula="SGD: input and vector-like x n / n_base; AdamW: hidden x n_base / n; no depth",
    prescribe=prescribe,
)
