"""``default``: what the benchmarks do, the published rate for every architecture."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """He initialization and the space's published rate, untuned.

    NAS-Bench-201's own code keeps torch's default weights, of variance 1 / (3 fan_in) in the
    head as elsewhere; He's with a readout of 1/n are those that all rules here start from. Not in
    our networks: nothing of the cells; the code's weights, black padding and last batch are the
    recipe's to ask for (``NAS_BENCH_201_CODE``).
    """
    return Bundle("he", 1.0, 1.0)


RULE = Rule(
    name="default",
    version=1,
    source="NAS-Bench-201 trains every cell at rate 0.1 (Dong and Yang, ICLR 2020)",
    formula="eta = the published rate",
    prescribe=prescribe,
    tuned=False,
)
