"""Residual nets without normalization, with batch norm and with layer norm.

Purpose   An open question of the depth papers, whose theories have no normalization: does it change
          the exponent of the best rate, or only the prefactor? One residual ladder three times.
          With batch norm the weights before it have no scale, so that an initialization changes
          only the effective rate: credit it with no more.
Cost      CIFAR-10: 69 units, 2.5 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Open. Second-hand, unverified, of arXiv 2602.07494: ResNet with batch norm -1.701 against
          -1.435 without; of arXiv 2510.04327: batch norm moves the prefactor more than the
          exponent.
Command   python jobs/normalisation.py [--scale smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

PLAIN = Depth(
    name="none",
    space="resnet",
    options={"width": 64, "normalization": "none"},
    rules=("tuned-constant", "effective-depth", "path-cubed"),
    seeds=4,
    depths=(1, 2, 4, 6, 8, 12, 16, 24),
    rates=rate_grid(1e-3, 10.0, 25),
    dataset="cifar10",
)

PARTS = tuple(
    replace(PLAIN, name=name, options=PLAIN.options | {"normalization": name})
    for name in ("none", "bn", "ln")
)

STUDY = Study(
    name="normalisation",
    question="Does normalization change how the best rate of residual nets falls with depth?",
    parts=PARTS,
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 8},
    rules=("tuned-constant", "effective-depth"),
    seeds=2,
    depths=(1, 2, 4, 8),
    rates=rate_grid(1e-2, 10.0, 7),
    recipe={"batch": 8, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
