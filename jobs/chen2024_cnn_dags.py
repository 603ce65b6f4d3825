"""Five-node CNN DAGs with kernels 3, 5 and 7: topology and kernel side.

Purpose   Repeats the CNN study of Chen et al. (ICLR 2024, arXiv 2402.17440, "path-cubed"): the same
          random five-node CNNs with kernels of side 3, 5 and 7, each with its own grid of rates.
          Within a part the kernel cancels and topology is tested; whether the rate falls as 3/k or
          as (3/k)^2 is read between the parts, from the best rates of the same DAGs.
Cost      CIFAR-10: 186 units, 3.4 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Published (the paper's text): correlation of predicted and measured best rate 0.856 over
          topologies and kernels together, 0.949 with GELU. The theory has the kernel's taps, the
          released code its side k. Not stated: the number of DAGs, channels and grid.
Command   python jobs/chen2024_cnn_dags.py [--scale smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

BASE = Depth(
    name="kernel-3",
    space="dag-cnn",
    options={"width": 44, "kernel": 3},
    rules=("tuned-constant", "path-cubed", "effective-depth"),
    seeds=3,
    sample=20,
    rates=rate_grid(1e-3, 1.0, 19),
    dataset="cifar10",
)

PARTS = tuple(
    replace(BASE, name=f"kernel-{side}", options=BASE.options | {"kernel": side})
    for side in (3, 5, 7)
)

STUDY = Study(
    name="chen2024_cnn_dags",
    question="Does the best rate of a five-node CNN follow its topology and kernel?",
    parts=PARTS,
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 4},
    rules=("tuned-constant", "path-cubed"),
    seeds=2,
    sample=4,
    rates=rate_grid(1e-2, 2.0, 6),
    recipe={"batch": 8},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
