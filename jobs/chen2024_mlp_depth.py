"""Plain MLPs of depth 3 to 10: does the rate of one hidden layer predict the others?

Purpose   Repeats the depth study of Chen et al. (ICLR 2024, arXiv 2402.17440, "path-cubed") on
          plain MLPs, with ReLU and with GELU: a grid of rates on every depth, the rule's prediction
          from the base (one hidden layer, L = 1) beside it. On a chain path-cubed, effective-depth
          and jelassi are one rule up to offsets, so that this is also a test of the code.
Cost      CIFAR-10: 52 units, 0.8 million replica-steps; --dry-run estimates the
          time here. Laptop: 40 units, 0.7 million replica-steps, minutes on 2 cores. Smoke: about
          a minute, on digits.
Expect    Published (the paper's text): correlation of predicted and measured best rate 0.962 with
          ReLU and 0.920 with GELU. The paper does not state its width, batch or grid; its code has
          batch 128. Its ImageNet study (0.856) is not repeated here. A high correlation is no
          slope: read the exponent, which is against all layers, the readout included (depth + 1).
Command   python jobs/chen2024_mlp_depth.py [--scale laptop | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

RELU = Depth(
    name="relu",
    space="mlp",
    options={"width": 128, "activation": "relu"},
    rules=("tuned-constant", "path-cubed", "effective-depth", "jelassi"),
    seeds=3,
    depths=(1, *range(3, 11)),
    rates=rate_grid(1e-3, 1.0, 19),
    dataset="cifar10",
)

PARTS = (RELU, replace(RELU, name="gelu", options=RELU.options | {"activation": "gelu"}))

STUDY = Study(
    name="chen2024_mlp_depth",
    question="Does the best rate of a plain MLP follow its depth as path-cubed says?",
    parts=PARTS,
)

LAPTOP = STUDY.scaled(
    "laptop",
    options={"width": 64},
    depths=(1, 2, 3, 4, 5, 7, 10),
    rates=rate_grid(1e-3, 1.0, 10),
    recipe={"batch": 64},
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 32},
    seeds=2,
    depths=(1, 3, 5, 7, 10),
    rates=rate_grid(1e-3, 1.0, 9),
    recipe={"batch": 8, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"laptop": LAPTOP, "smoke": SMOKE}))
