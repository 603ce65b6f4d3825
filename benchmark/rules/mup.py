"""``mup``: rates follow width alone."""

from benchmark.rules.grammar.rule import Bundle, Factors, Reading, Rule, drop_ones

VECTORS = ("vector", "outer-vector")


def width_factors(optimizer: str, ratio: float) -> Factors:
    """muP's factors for m_N = ``ratio``, in the form without forward multipliers.

    | group                       | variance   | SGD    | AdamW |
    |-----------------------------|------------|--------|-------|
    | input weights, positions    | 1 / fan_in | x m_N  | x 1   |
    | hidden biases, norms        | 0, 1       | x m_N  | x 1   |
    | hidden weights              | 1 / fan_in | x 1    | / m_N |
    | readout weights             | 1 / n^2    | / m_N  | / m_N |
    | readout bias                | 0          | x 1    | x 1   |

    Weight decay keeps rate x decay fixed in every group, as microsoft/mup's optimizers do.
    """
    if optimizer == "sgd":
        rates = dict.fromkeys(("input", *VECTORS), ratio) | {"readout": 1 / ratio}
    else:
        rates = {"hidden": 1 / ratio, "readout": 1 / ratio}
    decays = {f"{group}-decay": 1 / factor for group, factor in rates.items()}
    return drop_ones(rates | decays | {"readout-variance": 1 / ratio})


def prescribe(target: Reading, base: Reading) -> Bundle:
    """m_N = n / n_base: rates and the readout's variance by ``width_factors``.

    Yang et al., arXiv 2203.03466, Table 3. At the base width it is the standard network, readout
    1/n, and its variance falls from there as 1/n^2; ``:mean-field-readout`` has 1/n^2 itself. So a
    ladder of one width gives the tuned constant: that it says nothing of depth is the point of
    showing it there. Not in our networks: attention keeps the scale 1/sqrt(d) of queries and keys
    (muP has 1/d, which needs a multiplier per replica there); AdamW's epsilon stays, which matters
    only where gradients come near it.
    """
    return Bundle("he", 1.0, 1.0, width_factors(target.optimizer, target.width_ratio(base)))


RULE = Rule(
    name="mup",
    version=2,
    source="arXiv 2203.03466, Table 3",
    formula="SGD: input and vectors x n / n_base, readout x n_base / n; AdamW: hidden and readout "
    "x n_base / n; readout variance ~ 1/n^2; no depth",
    prescribe=prescribe,
    reads_width=True,
    earlier={
        1: "SGD: input, vectors and readout x n / n_base; AdamW: hidden x n_base / n; readout 1/n"
    },
)
