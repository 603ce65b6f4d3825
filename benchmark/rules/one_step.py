"""``one-step``: the rate is measured at initialization, not computed from the graph."""

from benchmark.rules.grammar.rule import Bundle, Reading, Rule


def prescribe(target: Reading, base: Reading) -> Bundle:
    """He initialization; the plan multiplies the rate by eta*(target) / eta*(base).

    eta* is the rate at which one step at initialization moves the pre-activations by a second
    moment of 1 on average over layers, (1/L) sum_l E[(dz_l)^2] = 1 (the criterion of arXiv
    2510.04327, abstract). It costs one step and no training. He weights only; the moments are
    heavy-tailed in narrow deep chains, where the few draws averaged do not fix eta*. Not in our
    networks: infinite width, over which the abstract takes the expectation.
    """
    return Bundle("he", 1.0, 1.0)


RULE = Rule(
    name="one-step",
    version=1,
    source="the criterion of arXiv 2510.04327 (abstract), measured",
    formula="eta = c eta*, with (1/L) sum_l E[(dz_l)^2] = 1 after one step at eta*",
    prescribe=prescribe,
    optimizers=("sgd",),
    measured=True,
)
