"""Residual nets with branch weights of variance 1/K: does the best rate fall as K^-1 or L^(-3/2)?

Purpose   On residual nets of 1 to 16 blocks the two laws cannot be told apart in layers and
          additions, where L = K + 2: an exact K^-1 fitted against L reads -1.51. This ladder starts
          at K = 4, where the 2 fades, and is judged in blocks, the unit of AM-muP. Three ways to
          draw the weights (He; He with branches x K^(-1/2); variance 1/K in the branches), the
          rates that each rule predicts, and one step at initialization to K = 256.
Cost      CIFAR-10: 35 units, 0.8 million replica-steps of up to 64 blocks; --dry-run estimates
          the time here. Laptop: width 16, 300 steps, about 2 hours on 2 cores with images of
          16x16 pixels (--dataset npz:FILE). Digits: about 10 minutes. Smoke: about a minute.
Expect    Written down before the first run. H1: with residual-aware weights the local exponent of
          the best rate over the last factor 4 in K, in blocks, has an interval that holds -1 and
          leaves out -3/2 (derived: dz at depth l is a coherent sum of l terms, so that S grows as
          eta^2 K^2). H2: with depth-mup's branches that exponent's interval holds 0. H3: carried
          from K = 4 to the deepest rung, effective-depth's rate is too small by about
          (K + 2)^(-3/2) over K^-1. H4: one step at initialization gives the same exponents from
          K = 16 on. Published: L^(-3/2) (abstracts of arXiv 2510.04327, in blocks, and 2602.07494,
          in layers and additions); a constant rate with branches x K^(-1/2) (arXiv 2310.02244).
Command   python jobs/residual_law.py [--scale laptop | digits | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, Updates, rate_grid

ONE_CONV = Depth(
    name="one-conv",
    space="resnet",
    options={"width": 64, "block": "one-conv"},
    rules=(
        "tuned-constant",
        "depth-mup",
        "depth-mup:weight-variance-all-rates",
        "effective-depth",
        "effective-depth:init-only",
    ),
    seeds=3,
    depths=(4, 8, 16, 32, 64),
    rates=rate_grid(1e-3, 3.0, 10),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=64, steps=1000),
)

POST_ACTIVATION = replace(
    ONE_CONV,
    name="post-activation",
    options=ONE_CONV.options | {"block": "post-activation"},
    rules=("effective-depth", "effective-depth:init-only"),
)

STEPS = Updates(
    name="one-step",
    space="resnet",
    options=ONE_CONV.options,
    rules=("depth-mup", "depth-mup:weight-variance-all-rates", "effective-depth"),
    seeds=16,
    depths=(4, 8, 16, 32, 64, 128, 256),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=8),
)

STUDY = Study(
    name="residual_law",
    question="With branch weights of variance 1/K, does the best rate fall as 1/K or as L^(-3/2)?",
    parts=(ONE_CONV, POST_ACTIVATION, STEPS),
)

LAPTOP = Study(
    name="residual_law-laptop",
    question=STUDY.question,
    parts=(
        replace(
            ONE_CONV,
            options=ONE_CONV.options | {"width": 16},
            recipe=replace(ONE_CONV.recipe, steps=300),
        ),
        replace(
            POST_ACTIVATION,
            options=POST_ACTIVATION.options | {"width": 16},
            recipe=replace(POST_ACTIVATION.recipe, steps=300),
        ),
        STEPS,
    ),
)

DIGITS = Study(
    name="residual_law-digits",
    question=STUDY.question,
    parts=(
        replace(
            ONE_CONV,
            dataset="digits",
            options=ONE_CONV.options | {"width": 16},
            depths=(4, 8, 16, 32),
            rates=rate_grid(3e-3, 3.0, 8),
            recipe=replace(ONE_CONV.recipe, batch=32, steps=200),
        ),
        replace(
            STEPS,
            dataset="digits",
            options=STEPS.options | {"width": 32},
            depths=(4, 8, 16, 32, 64, 128),
        ),
    ),
)

SMOKE = Study(
    name="residual_law-smoke",
    question=STUDY.question,
    parts=(
        replace(
            ONE_CONV,
            dataset="digits",
            options=ONE_CONV.options | {"width": 8},
            seeds=2,
            depths=(2, 4, 8),
            rates=rate_grid(1e-2, 2.0, 6),
            recipe=replace(ONE_CONV.recipe, batch=16, steps=60),
        ),
        replace(
            STEPS,
            dataset="digits",
            options=STEPS.options | {"width": 16},
            seeds=8,
            depths=(2, 4, 8, 16),
        ),
    ),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}))
