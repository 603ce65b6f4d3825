"""Forms of a rule, written ``RULE:FORM``: the choices in which papers and their code differ."""

from __future__ import annotations

import math
from dataclasses import replace

from benchmark.rules.rule import Bundle, Form, Reading
from search_spaces.errors import InvalidInput


def rate_only(bundle: Bundle, target: Reading) -> Bundle:
    """The rate alone, with He initialisation: published comparisons mix the two."""
    return replace(bundle, initialization="he", branch_multiplier=1.0)


def source_in_degree(bundle: Bundle, target: Reading) -> Bundle:
    """d_in of the edge's source: eq. 4 of arXiv 2402.17440 and its released code."""
    return replace(
        bundle,
        initialization=bundle.initialization.replace("in-degree-target", "in-degree-source"),
    )


def kernel_squared(bundle: Bundle, target: Reading) -> Bundle:
    """The kernel factor as (3/k)^2, q being the number of taps."""
    return replace(bundle, lr_multiplier=bundle.lr_multiplier * side_ratio(target))


def kernel_none(bundle: Bundle, target: Reading) -> Bundle:
    """No kernel factor."""
    return replace(bundle, lr_multiplier=bundle.lr_multiplier / side_ratio(target))


def mean_field_readout(bundle: Bundle, target: Reading) -> Bundle:
    """Readout weights of variance 1/n^2 (arXiv 2402.17440, 2510.04327) in place of 1/n."""
    return replace(bundle, initialization=f"{bundle.initialization}+mean-field")


def weight_variance(bundle: Bundle, target: Reading) -> Bundle:
    """Branch multipliers K^(-1/2) moved into the weights: variance and rate x 1/K.

    SGD moves W' = a W by a^2 times what it moves W, so the branches' last weights train as before;
    all others share the lower rate. Depth-muP's constant rate becomes K^-1.
    """
    K = target.residual_blocks
    if not K:
        return bundle
    if bundle.initialization != "he" or not math.isclose(bundle.branch_multiplier, K**-0.5):
        raise InvalidInput(
            "form weight-variance moves branch multipliers 1/sqrt(K) into He weights, which only "
            "depth-mup prescribes; use it there"
        )
    return Bundle("residual-aware", 1.0, bundle.lr_multiplier / K, bundle.factors)


BASE_KERNEL = 3
"""The kernel side at which the kernel factor is 1 (the released code's base), as for linears."""


def side_ratio(target: Reading) -> float:
    """3/k; 1 where there is no kernel."""
    return BASE_KERNEL / target.kernel if target.kernel > 1 else 1.0


FORMS: dict[str, Form] = {
    "rate-only": rate_only,
    "source-in-degree": source_in_degree,
    "kernel-squared": kernel_squared,
    "kernel-none": kernel_none,
    "mean-field-readout": mean_field_readout,
    "weight-variance": weight_variance,
}
