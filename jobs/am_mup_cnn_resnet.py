"""CNNs and residual nets of depth 3 to 30: is the exponent of the best rate -3/2?

Purpose   Repeats the depth studies of Zhang et al. (arXiv 2510.04327, "AM-muP") on 1-D and 2-D CNNs
          and on residual nets, by the protocol of their code: 64 channels, kernel 3, batch 128, one
          epoch of SGD without momentum or decay, two seeds, one fine grid of rates. Unlike there,
          nothing is run again for its slope, and rungs at chance or at the grid's edge are shown
          and left out of the fit.
Cost      CIFAR-10: 123 units, 3.9 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Published (the abstract): the best rate falls as L^(-3/2), L the convolutions of a CNN and
          the blocks of a residual net; fitted slopes, R^2 and intervals were not available to us.
          Second-hand, of the follow-up arXiv 2602.07494: CNN -1.339 to -1.392, ResNet -1.355 to
          -1.567. Mind L: the report counts layers and additions, the readout included, so that
          depths 3 to 30 are 4 to 31 on a CNN and 5 to 32 on a residual net; an exponent of -3/2 in
          blocks reads about -1.9 there. An epoch is all training images (312 batches); the
          authors' scripts stop after 100.
Command   python jobs/am_mup_cnn_resnet.py [--scale smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

RESNET = Depth(
    name="resnet",
    space="resnet",
    options={"width": 64},
    rules=("tuned-constant", "effective-depth", "path-cubed"),
    seeds=2,
    depths=(*range(3, 17), *range(18, 31, 2)),
    rates=rate_grid(1e-3, 1.0, 50),
    dataset="cifar10",
    neighbours=False,  # the grid has 17 to 20 rates a decade
)

CNN = replace(RESNET, name="cnn-2d", space="cnn", rates=rate_grid(1e-5, 1e-1, 80))

PARTS = (
    replace(
        CNN,
        name="cnn-1d",
        options=CNN.options | {"dimensions": 1},
        rates=rate_grid(1e-5, 1e-1, 60),
    ),
    CNN,
    RESNET,
)

STUDY = Study(
    name="am_mup_cnn_resnet",
    question="Does the best rate of CNNs and residual nets fall as depth to the power -3/2?",
    parts=PARTS,
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 8},
    depths=(3, 5, 8, 12),
    rates=rate_grid(1e-2, 2.0, 6),
    neighbours=True,
    recipe={"batch": 8, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
