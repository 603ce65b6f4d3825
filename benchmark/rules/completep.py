"""``completep``: residual branches are scaled by 1/m_L, and AdamW's rate stays as it is."""

from benchmark.rules.rule import Bundle, Reading, Rule

ALPHA = 1.0
"""a of the paper; 1/2 would be its Depth-muP row."""


def prescribe(target: Reading, base: Reading) -> Bundle:
    """Branch x m_L^-a; rates of hidden weights x m_N^-1 m_L^(a-1), of hidden biases and norms
    x m_L^(a-1), of the input and readout weights unchanged; epsilon x m_N^-1 m_L^-a; a = 1.

    arXiv 2505.01618, Table 1 (AdamW). m_L = K / K_base and m_N = n / n_base. Hidden variances
    follow fan_in, as the table asks; the readout is in our networks' 1/n.
    """
    m_L = max(1, target.residual_blocks) / max(1, base.residual_blocks)
    m_N = target.width / base.width
    deep = m_L ** (ALPHA - 1)
    factors = {"hidden": deep / m_N, "vector": deep, "epsilon": m_L**-ALPHA / m_N}
    return Bundle("he", m_L**-ALPHA, 1.0, tuple(sorted(factors.items())))


RULE = Rule(
    name="completep",
    version=1,
    source="arXiv 2505.01618, Table 1",
    formula="branch x K_base / K; eta = c, hidden weights x n_base / n (AdamW)",
    prescribe=prescribe,
    optimizers=("adamw",),
)
