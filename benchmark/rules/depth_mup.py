"""``depth-mup``: residual branches are scaled by 1/sqrt(K) in the forward pass."""

import math

from benchmark.rules.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """Branch multiplier 1/sqrt(K) with K residual additions; the rate constant in depth for SGD,
    and x m_L^(-1/2) for Adam, with m_L = K / K_base.

    Yang et al., arXiv 2310.02244 (block depth 1). The rates are general knowledge, of which the
    abstract supports Adam's.
    """
    blocks, base_blocks = max(1, target.residual_blocks), max(1, base.residual_blocks)
    rate = 1.0 if target.optimizer == "sgd" else math.sqrt(base_blocks / blocks)
    return Bundle("he", 1 / math.sqrt(blocks), rate)


RULE = Rule(
    name="depth-mup",
    version=1,
    source="arXiv 2310.02244",
    formula="branch x 1/sqrt(K); SGD: eta = c, AdamW: eta = c (K / K_base)^(-1/2)",
    prescribe=prescribe,
)
