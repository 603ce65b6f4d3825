"""GELU and dropout: do they change how the best rate falls with depth, or only its level?

Purpose   The depth theories speak of ReLU without dropout; networks in use have neither. One
          residual ladder four times: ReLU, GELU, and both with dropout 0.1. The exponent and the
          level of the best rate (its value on the shallowest rung) are compared between the parts.
Cost      CIFAR-10: 44 units, 1.5 million replica-steps; --dry-run estimates the time here. Laptop:
          about an hour on 2 cores with images of 16x16 pixels (--dataset npz:FILE). Digits: about
          10 minutes. Smoke: about a minute.
Expect    Written down before the first run. H1: the four exponents' intervals over the deepest
          factor 4, in blocks, overlap under residual-aware weights. H2: dropout lowers the best
          rate on every rung by less than a factor 2. H3: GELU's best rates are higher than
          ReLU's (its slope at 0 is 1/2, and He's gain is ReLU's). Published: MLPs with GELU have
          r = 0.680 where ReLU has 0.838 (arXiv 2402.17440, text); no exponents.
Command   python jobs/activation_and_dropout.py [--scale laptop | digits | smoke] [--out URI]
"""

from dataclasses import replace
from itertools import product

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

LADDER = Depth(
    name="ladder",
    space="resnet",
    options={"width": 32, "block": "one-conv"},
    rules=("tuned-constant", "depth-mup", "effective-depth"),
    seeds=3,
    depths=(2, 4, 8, 16, 32),
    rates=rate_grid(1e-3, 3.0, 12),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=64, steps=1000),
)

PARTS = tuple(
    replace(
        LADDER,
        name=activation + (f"-dropout-{dropout}".replace(".", "-") if dropout else ""),
        options=LADDER.options | {"activation": activation, "dropout": dropout},
    )
    for dropout, activation in product((0.0, 0.1), ("relu", "gelu"))
)

STUDY = Study(
    name="activation_and_dropout",
    question="Do GELU and dropout change how the best rate of residual nets falls with depth?",
    parts=PARTS,
)

LAPTOP = STUDY.scaled(
    "laptop",
    options={"width": 16},
    rules=("depth-mup", "effective-depth"),
    depths=(2, 4, 8, 16),
    rates=rate_grid(1e-2, 3.0, 9),
    recipe={"steps": 300},
)

DIGITS = STUDY.scaled(
    "digits",
    dataset="digits",
    options={"width": 16},
    rules=("depth-mup", "effective-depth"),
    depths=(2, 4, 8, 16),
    rates=rate_grid(1e-2, 3.0, 9),
    recipe={"batch": 32, "steps": 200},
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 8},
    rules=("tuned-constant", "effective-depth"),
    seeds=2,
    depths=(1, 2, 4),
    rates=rate_grid(1e-2, 2.0, 6),
    recipe={"batch": 32, "steps": 60},
)

if __name__ == "__main__":
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
