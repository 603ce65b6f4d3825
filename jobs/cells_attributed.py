"""NAS-Bench-201 cells: does a rule's gain come from its rates, its weights, or neither?

Purpose   A rule changes two things at once, rates and weights, and any change of rates moves a
          ranking. Here both rules of the literature run with every arm that attributes a gain: the
          rates alone (rate-only), the weights alone at one tuned rate (init-only), and the rule's
          own placebo, its rates dealt to other cells anew for every seed (shuffled:RULE). Constants
          are tuned on a panel of five cells; a constant that might as well have been chosen is
          trained too, and the intervals count the choice.
Cost      CIFAR-10: 133 units, 190 million replica-steps of batch 256, for a GPU cluster; --dry-run
          estimates the time here. Laptop: 32 cells, 300 steps, about 3 hours on 2 cores with images
          of 16x16 pixels (--dataset npz:FILE). Digits: about half an hour. Smoke: about a minute.
Expect    Written down before the first run. H1: effective-depth gains accuracy over one tuned rate
          and over its own placebo (seen before on 24 cells without counted constants: +1.19 and
          +1.23 points). H2: the gain is of its rates: rate-only gains as much, init-only does not
          (batch norm makes the weights before it free of scale). H3: path-cubed gains nothing over
          its own placebo. Published (arXiv 2402.17440): path-cubed +0.44 points on CIFAR-10 at the
          full scale, without these controls.
Command   python jobs/cells_attributed.py [--scale laptop | digits | smoke] [--out URI]
"""

from benchmark import job
from benchmark.study import NAS_BENCH_201, Rank, Study, rate_grid

ARMS = ("{}", "{}:rate-only", "{}:init-only", "shuffled:{}")

CELLS = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 16, "cells": 5},
    rules=(
        "default",
        "tuned-constant",
        *(arm.format(rule) for rule in ("effective-depth", "path-cubed") for arm in ARMS),
    ),
    seeds=3,
    sample=100,
    panel=5,
    constants=3,
    rates=(0.022, 0.046, 0.1, 0.22, 0.46, 1.0, 2.2),
    dataset="cifar10",
    recipe=NAS_BENCH_201,
)

STUDY = Study(
    name="cells_attributed",
    question="Is a rule's gain on NAS-Bench-201 cells due to its rates, its weights, or neither?",
    parts=(CELLS,),
)

LAPTOP = STUDY.scaled(
    "laptop",
    options={"channels": 4, "cells": 1},
    sample=32,
    recipe={"epochs": 1, "batch": 64, "steps": 300},
)

# Digits are not flipped (a mirrored 2 is no 2) nor cropped.
DIGITS = STUDY.scaled(
    "digits",
    dataset="digits",
    options={"channels": 4, "cells": 1},
    sample=32,
    constants=2,
    rates=rate_grid(0.01, 3.0, 9),
    recipe={"epochs": 4, "batch": 32, "horizontal_flip": False, "crop_padding": 0},
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"channels": 4, "cells": 1},
    rules=("default", "tuned-constant", "effective-depth", "shuffled:effective-depth"),
    seeds=2,
    sample=6,
    panel=2,
    constants=1,
    rates=rate_grid(0.02, 2.0, 5),
    recipe={"epochs": 2, "batch": 32, "horizontal_flip": False, "crop_padding": 0},
)

if __name__ == "__main__":
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
