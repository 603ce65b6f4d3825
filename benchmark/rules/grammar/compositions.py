"""Two rules at once, written ``RULE*mup``: one for depth, the other for width."""

from __future__ import annotations

from dataclasses import replace

from benchmark.rules.grammar.rule import Bundle, Reading, Rule, multiply_factors
from search_spaces.errors import InvalidInput


def compose(depth: Rule, width: Rule) -> Rule:
    """The depth rule's bundle with the width rule's rates, decays and readout variance on top.

    For studies over depth and width at once. Every factor of the one multiplies the same factor of
    the other; initialization and branch multiplier are the depth rule's. Raises ``InvalidInput``
    where the second rule is not ``mup``, or the first says itself how rates follow width or is
    measured.
    """
    name = f"{depth.name}*{width.name}"
    if width.name != "mup":
        raise InvalidInput(f"rule {name!r}: only mup can follow the *; write {depth.name}*mup")
    if depth.reads_width:
        raise InvalidInput(
            f"rule {name!r}: {depth.name} says itself how rates follow width; use it without *mup"
        )
    if depth.measured or not depth.tuned:
        raise InvalidInput(
            f"rule {name!r}: mup multiplies computed rates, and {depth.name}'s are not; "
            "compose it with another rule"
        )

    def prescribe(target: Reading, base: Reading) -> Bundle:
        one, other = depth.prescribe(target, base), width.prescribe(target, base)
        return replace(
            one,
            lr_multiplier=one.lr_multiplier * other.lr_multiplier,
            factors=multiply_factors(one.factors, other.factors),
        )

    optimizers = tuple(each for each in depth.optimizers if each in width.optimizers)
    return replace(
        depth,
        name=name,
        source=f"{depth.source}; {width.source}",
        formula=f"{depth.formula}; and by width {width.formula}",
        prescribe=prescribe,
        optimizers=optimizers,
        reads_width=True,
        versions={
            each: depth.version_for(each) + width.version_for(each) - 1 for each in optimizers
        },
        earlier={},
    )
