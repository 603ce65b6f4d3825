"""Plain chains: the first step obeys L^(-3/2); after how many steps does the best rate not?

Purpose   In wide plain chains the rate at which the first step has size 1 falls as L^(-3/2), and
          the best rate of an epoch hardly falls at all. Where between one step and an epoch does
          the law stop? One ladder of MLPs whose best rate is looked for after 4, 16, 64, 256 and
          750 steps, and one step at initialization on chains of width 1024.
Cost      CIFAR-10: 75 units, 0.55 million replica-steps, well under an hour on 2 cores; --dry-run
          estimates the time here. Digits: a few minutes. Smoke: about a minute.
Expect    Written down before the first run. H1: the exponent over the last factor 4 in depth
          (layers and additions) rises with the number of steps, from an interval that leaves out 0
          at 4 steps. H2: at the longest horizon its interval holds 0 or leaves out -3/2. H3: at
          width 1024 the one-step exponents of medians and of log-means hold -3/2 (depth at most an
          eighth of the width). Published: L^(-3/2) for the first step (arXiv 2305.07810 and
          2510.04327, abstracts); for longer training the papers give one-epoch optima only.
Command   python jobs/horizon_in_steps.py [--scale digits | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, Updates, rate_grid

HORIZONS = (4, 16, 64, 256, 750)

LADDER = Depth(
    name="ladder",
    space="mlp",
    options={"width": 256},
    rules=("tuned-constant", "jelassi"),
    seeds=3,
    depths=(1, 2, 4, 8, 16),
    rates=rate_grid(1e-3, 10.0, 14),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=64, steps=HORIZONS[0]),
)

STEPS = Updates(
    name="one-step",
    space="mlp",
    options={"width": 1024},
    rules=("tuned-constant", "jelassi"),
    seeds=12,
    depths=(8, 16, 32, 64, 128),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=4),
)


def after(part: Depth, steps: int) -> Depth:
    """The part with the best rate of so many steps."""
    return replace(part, name=f"{steps}-steps", recipe=replace(part.recipe, steps=steps))


STUDY = Study(
    name="horizon_in_steps",
    question="After how many steps does the best rate of a plain chain stop falling as L^(-3/2)?",
    parts=(*(after(LADDER, steps) for steps in HORIZONS), STEPS),
)

DIGITS = Study(
    name="horizon_in_steps-digits",
    question=STUDY.question,
    parts=(
        *(
            after(
                replace(
                    LADDER,
                    dataset="digits",
                    options={"width": 128},
                    recipe=replace(LADDER.recipe, batch=32),
                ),
                steps,
            )
            for steps in HORIZONS[:4]
        ),
        replace(STEPS, dataset="digits", options={"width": 512}, depths=(4, 8, 16, 32, 64)),
    ),
)

SMOKE = Study(
    name="horizon_in_steps-smoke",
    question=STUDY.question,
    parts=(
        *(
            after(
                replace(
                    LADDER,
                    dataset="digits",
                    options={"width": 32},
                    seeds=2,
                    depths=(1, 2, 4),
                    rates=rate_grid(1e-2, 10.0, 8),
                ),
                steps,
            )
            for steps in HORIZONS[:2]
        ),
        replace(STEPS, dataset="digits", options={"width": 64}, seeds=4, depths=(2, 4, 8)),
    ),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"digits": DIGITS, "smoke": SMOKE}))
