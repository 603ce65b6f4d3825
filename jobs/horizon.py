"""Residual nets for longer, and with a falling rate: is one epoch enough to know the exponent?

Purpose   An open question that reviewers asked of the depth papers, whose best rates are those of
          one epoch at a constant rate: does the exponent hold for longer training and for a cosine
          schedule? One residual ladder under every pair of horizon and schedule. How far single
          steps move the layers is measured on the way: rules fix it for the first step alone.
Cost      CIFAR-10: 120 units, 16 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Open: no published figure was at hand. A schedule that ends at 0 forgives larger rates, so
          that at least the prefactor should move.
Command   python jobs/horizon.py [--scale smoke] [--out URI]
"""

from dataclasses import replace
from itertools import product
from typing import Literal

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

SCHEDULES: tuple[Literal["constant", "cosine"], ...] = ("constant", "cosine")

LADDER = Depth(
    name="ladder",
    space="resnet",
    options={"width": 64},
    rules=("tuned-constant", "effective-depth"),
    seeds=3,
    depths=(1, 2, 4, 6, 8, 12, 16),
    rates=rate_grid(1e-3, 3.0, 21),
    dataset="cifar10",
)

PARTS = tuple(
    replace(
        LADDER,
        name=f"{schedule}-{epochs}",
        recipe=replace(PLAIN_SGD, epochs=epochs, schedule=schedule, update_every=100),
    )
    for epochs, schedule in product((1, 5, 20), SCHEDULES)
)

STUDY = Study(
    name="horizon",
    question="Does the exponent of the best rate depend on the horizon and the schedule?",
    parts=PARTS,
)

SMOKE = Study(
    name="horizon-smoke",
    question=STUDY.question,
    parts=tuple(
        replace(
            LADDER,
            name=f"{schedule}-{epochs}",
            dataset="digits",
            options={"width": 8},
            seeds=2,
            depths=(1, 2, 4, 8),
            rates=rate_grid(1e-2, 3.0, 6),
            recipe=replace(PLAIN_SGD, batch=16, epochs=epochs, schedule=schedule, update_every=20),
        )
        for epochs, schedule in product((1, 3), SCHEDULES)
    ),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
