"""Does the learning rate have to follow the architecture? A first answer in minutes.

Purpose   Runs every part of the suite once, small and real, on scikit-learn's digits: ranks 12
          NAS-Bench-201 cells under four rules, finds the best rate of residual nets and plain
          chains over a range of depths, and measures one step at initialization on both.
Cost      At most 4 minutes on 2 cores; no GPU, no download.
Expect    The rate falls with depth. Rungs, rates and seeds of the depth and updates parts are
          chosen by ``--power`` on planted truth with the noise of an earlier run (``--pilot``), so
          that most of their questions are answered. 12 cells and two seeds answer nothing: that
          part shows its measures and is not judged.
Command   python jobs/quickstart.py     (make quickstart also installs and writes the report)
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import NAS_BENCH_201, PLAIN_SGD, Depth, Rank, Study, Updates, rate_grid

CELLS = Rank(
    name="cells",
    space="nasbench201",
    options={"channels": 4, "cells": 1},
    rules=("default", "effective-depth", "path-cubed", "shuffled"),
    seeds=2,
    sample=12,
    sampling="stratified",
    judged=False,
    rates=rate_grid(0.01, 3.0, 9),
    # The published protocol, short; digits are not flipped (a mirrored 2 is no 2) nor cropped.
    recipe=replace(NAS_BENCH_201, epochs=4, batch=32, horizontal_flip=False, crop_padding=0),
)

RESIDUAL = Depth(
    name="residual-depth",
    space="resnet",
    options={"width": 8},
    rules=("tuned-constant", "effective-depth", "path-cubed"),
    seeds=8,
    depths=(1, 2, 4, 8, 16),
    rates=rate_grid(4e-3, 1.5, 7),
    # In fewer steps most rungs stay at chance: three epochs in batches of 32 are only 105 steps.
    recipe=replace(PLAIN_SGD, epochs=3, batch=8),
)

CHAIN = replace(
    RESIDUAL,
    name="chain-depth",
    space="cnn",
    seeds=10,
)

# The steps of seeds differ by as much as 5 times in narrow networks, and by less than 2 in these.
RESIDUAL_STEPS = Updates(
    name="residual-updates",
    space="resnet",
    options={"width": 64},
    rules=RESIDUAL.rules,
    seeds=24,
    depths=RESIDUAL.depths,
    recipe=replace(PLAIN_SGD, batch=4),
)

CHAIN_STEPS = replace(
    RESIDUAL_STEPS,
    name="chain-updates",
    space="mlp",
    options={"width": 256},
    depths=(2, 4, 8, 16),
)

STUDY = Study(
    name="quickstart",
    question="Does the learning rate have to follow the architecture, and which rule predicts it?",
    parts=(CELLS, RESIDUAL, CHAIN, RESIDUAL_STEPS, CHAIN_STEPS),
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY))
