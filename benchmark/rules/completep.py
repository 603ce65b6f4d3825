"""``completep``: residual branches are scaled by 1/m_L, and AdamW's rate stays as it is."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule, drop_ones, multiply_factors
from benchmark.rules.mup import width_factors

ALPHA = 1.0
"""a of the paper; 1/2 would be its Depth-muP row."""

UNDECAYED = ("vector", "outer-vector", "readout-bias")


def prescribe(target: Reading, base: Reading) -> Bundle:
    """Branch x m_L^-a; rates of hidden weights x m_N^-1 m_L^(a-1), of hidden biases and norms
    x m_L^(a-1), of stem, positions, final norm and readout unchanged; epsilon x m_N^-1 m_L^-a;
    weight decay of hidden weights x m_N, none on biases and norms; a = 1.

    arXiv 2505.01618, Table 1, row CompleteP (AdamW); the groups and their decay as in its code
    (EleutherAI/nanoGPT-mup, branch completep, model.py). m_L = K / K_base and m_N = n / n_base.
    Hidden variances follow fan_in, as the table asks. Its readout is divided by m_N in the forward
    pass at one rate; ours has the variance and the rate divided by m_N instead, which is the same
    under AdamW. Not in our networks: tied embeddings, and attention keeps 1/sqrt(d).
    """
    m_L, m_N = target.block_ratio(base), target.width_ratio(base)
    deep = m_L ** (ALPHA - 1)
    depth = {"hidden": deep, "vector": deep, "epsilon": m_L**-ALPHA / m_N}
    undecayed = {f"{group}-decay": 0.0 for group in UNDECAYED}
    factors = multiply_factors(drop_ones(depth | undecayed), width_factors(target.optimizer, m_N))
    return Bundle("he", m_L**-ALPHA, 1.0, factors)


RULE = Rule(
    name="completep",
    version=2,
    source="arXiv 2505.01618, Table 1",
    formula="branch x K_base / K; eta = c, hidden and readout weights x n_base / n (AdamW); no "
    "weight decay on biases and norms",
    prescribe=prescribe,
    optimizers=("adamw",),
    reads_width=True,
    earlier={
        1: "branch x K_base / K; eta = c, hidden weights x n_base / n (AdamW); one weight decay"
    },
)
