"""``depth-mup``: residual branches are scaled by 1/sqrt(K) in the forward pass."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule, drop_ones


def prescribe(target: Reading, base: Reading) -> Bundle:
    """Branch multiplier 1/sqrt(K) with K residual additions; the rate constant in depth for SGD;
    for AdamW, rates of hidden weights, biases and norms x m_L^(-1/2), and epsilon x m_L^(-1/2),
    with m_L = K / K_base; stem, final norm and readout as they are.

    Yang et al., arXiv 2310.02244 (block depth 1), without its width: ``depth-mup*mup`` has both.
    AdamW's row is CompleteP's Table 1 (arXiv 2505.01618) at a = 1/2; SGD's constant rate is that
    of arXiv 2309.16620 too. The multiplier is 1/sqrt(K) itself and not relative to the base, so
    that with K_base > 1 (vit, nasbench201) constants do not compare with completep's. Not in our
    networks: the constant a of the multiplier a/sqrt(K), which is 1; blocks of two layers (basic,
    bottleneck, transformers) and stages of cells are an extension, for the paper has one layer.
    """
    multiplier = max(1, target.residual_blocks) ** -0.5
    if target.optimizer == "sgd":
        return Bundle("he", multiplier, 1.0)
    deep = target.block_ratio(base) ** -0.5
    return Bundle("he", multiplier, 1.0, drop_ones(dict.fromkeys(GROUPS, deep)))


GROUPS = ("hidden", "vector", "epsilon")

RULE = Rule(
    name="depth-mup",
    version=1,
    versions={"adamw": 2},
    source="arXiv 2310.02244; AdamW: arXiv 2505.01618, Table 1, a = 1/2",
    formula="branch x 1/sqrt(K); SGD: eta = c; AdamW: eta = c, hidden layers and epsilon "
    "x (K / K_base)^(-1/2)",
    prescribe=prescribe,
    earlier={
        1: "branch x 1/sqrt(K); SGD: eta = c; AdamW (to version 1): eta = c (K / K_base)^(-1/2) "
        "for all parameters"
    },
)
