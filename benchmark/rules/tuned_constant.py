"""``tuned-constant``: one rate for all, tuned on the base architecture as every rule's is."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """He initialization and the base architecture's best rate, whatever the target.

    The standard parametrization (the column SP of arXiv 2203.03466, Table 3), readout 1/n. Not in
    our networks: nothing that it has.
    """
    return Bundle("he", 1.0, 1.0)


RULE = Rule(
    name="tuned-constant",
    version=1,
    source="the null hypothesis: rates do not follow architecture",
    formula="eta = c",
    prescribe=prescribe,
)
