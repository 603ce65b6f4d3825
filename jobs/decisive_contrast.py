"""Residual nets, where the rules disagree most: L^-1, L^(-3/2) or exponential?

Purpose   On plain chains the published rules coincide; on residual nets they do not. With K blocks
          and branch weights of variance 1/K, Depth-muP's constant rate becomes K^-1 (the form
          weight-variance-all-rates), effective depth says L^(-3/2), and path-cubed, with its
          in-degree weights, falls as 2^(-K/2) K^(-3/2). One ladder deep enough to tell them apart,
          trained at a grid of rates and at every prediction; and one step at initialization on the
          same nets.
Cost      CIFAR-10: 46 units, 2.1 million replica-steps; --dry-run estimates the
          time here. Laptop: 20 units, 0.26 million replica-steps, about an hour on 2 cores (75
          minutes beside other work) with images of 16x16 pixels (--dataset npz:FILE). Smoke: about
          a minute, on digits.
Expect    Published (abstracts): L^(-3/2) from arXiv 2510.04327 and 2602.07494; a constant rate with
          branches x K^(-1/2) from arXiv 2310.02244 (for SGD general knowledge, unverified); the
          path sum from arXiv 2402.17440. The arithmetic of the three is tested; which of them
          training follows is what this study asks.
Command   python jobs/decisive_contrast.py [--scale laptop | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, Updates, rate_grid

ONE_CONV = Depth(
    name="one-conv",
    space="resnet",
    options={"width": 64, "block": "one-conv"},
    rules=(
        "tuned-constant",
        "depth-mup",
        "depth-mup:weight-variance-all-rates",
        "effective-depth",
        "path-cubed",
    ),
    seeds=4,
    depths=(1, 2, 4, 8, 12, 16, 24, 32),
    rates=rate_grid(1e-4, 3.0, 28),
    dataset="cifar10",
)

BASIC = replace(
    ONE_CONV,
    name="basic",
    options=ONE_CONV.options | {"block": "basic"},
    depths=(1, 2, 4, 8, 12, 16),
)

STEPS = Updates(
    name="one-step",
    space="resnet",
    options=ONE_CONV.options | {"width": 32},
    rules=ONE_CONV.rules,
    seeds=16,
    depths=(1, 2, 4, 8, 16, 32),
    dataset="cifar10",
    recipe=replace(ONE_CONV.recipe, batch=8),
)

STUDY = Study(
    name="decisive_contrast",
    question="On residual nets, does the best rate fall as 1/L, as L^(-3/2) or exponentially?",
    parts=(ONE_CONV, BASIC, STEPS),
)

LAPTOP = Study(
    name="decisive_contrast-laptop",
    question=STUDY.question,
    parts=(
        replace(
            ONE_CONV,
            options=ONE_CONV.options | {"width": 16},
            seeds=2,
            depths=(1, 2, 4, 8, 16),
            rates=rate_grid(3e-3, 2.0, 8),
            recipe=replace(ONE_CONV.recipe, batch=64),
        ),
        STEPS,
    ),
)

SMOKE = Study(
    name="decisive_contrast-smoke",
    question=STUDY.question,
    parts=(
        replace(
            ONE_CONV,
            dataset="digits",
            options=ONE_CONV.options | {"width": 8},
            seeds=2,
            depths=(1, 2, 4, 8, 12),
            rates=rate_grid(3e-3, 2.0, 8),
            recipe=replace(ONE_CONV.recipe, batch=8, epochs=2),
        ),
        replace(
            STEPS,
            dataset="digits",
            options=STEPS.options | {"width": 16},
            seeds=8,
            depths=(1, 2, 4, 8, 16),
        ),
    ),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"laptop": LAPTOP, "smoke": SMOKE}))
