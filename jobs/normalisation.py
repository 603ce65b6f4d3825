"""Residual nets without normalization, with batch norm and with layer norm.

Purpose   An open question of the depth papers, whose theories have no normalization: does it change
          the exponent of the best rate, or only the prefactor? One residual ladder three times.
          With batch norm the weights before it have no scale, so that an initialization changes
          only the effective rate: credit it with no more.
Cost      CIFAR-10: 69 units, 2.5 million replica-steps; --dry-run estimates the time here. Laptop:
          about an hour on 2 cores with images of 16x16 pixels (--dataset npz:FILE). Digits:
          minutes. Smoke: about a minute.
Expect    Open. Second-hand, unverified, of arXiv 2602.07494: ResNet with batch norm -1.701 against
          -1.435 without; of arXiv 2510.04327: batch norm moves the prefactor more than the
          exponent. Written down before the first run of the laptop scale: H1: with batch norm the
          best rate falls by less than a factor 2 over the last factor 4 in depth, whatever the
          weights. H2: without norm it falls as depth^-1 or faster under residual-aware weights. H3:
          the best rate of the shallowest rung differs between the norms by more than a factor 2.
Command   python jobs/normalisation.py [--scale laptop | digits | smoke] [--out URI]
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

LAPTOP = STUDY.scaled(
    "laptop",
    options={"width": 16},
    seeds=3,
    depths=(2, 4, 8, 16),
    rates=rate_grid(1e-3, 10.0, 14),
    recipe={"batch": 64, "steps": 300},
)

DIGITS = STUDY.scaled(
    "digits",
    dataset="digits",
    options={"width": 16},
    seeds=3,
    depths=(2, 4, 8, 16),
    rates=rate_grid(1e-3, 10.0, 14),
    recipe={"batch": 32, "steps": 200},
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
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
