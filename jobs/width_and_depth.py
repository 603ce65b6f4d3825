"""Widths and depths together: which rule carries one tuned rate over both?

Purpose   Rules of depth say nothing of width, and muP nothing of depth; a study that grows one axis
          cannot show what a network that grows in both needs. Residual nets and plain MLPs at every
          width and depth of a grid, tuned once on the narrowest and shallowest: one rate for all,
          muP, the rules of depth, their product with muP, and under AdamW CompleteP, which is
          stated for both axes.
Cost      CIFAR-10: 108 units, 3 million replica-steps; --dry-run estimates the time here. Laptop:
          about 2 hours on 2 cores with images of 16x16 pixels (--dataset npz:FILE). Digits: about
          20 minutes. Smoke: about a minute.
Expect    Written down before the first run. H1: under SGD on residual nets depth-mup*mup has the
          least loss above the best of any rule. H2: a rule of one axis alone loses on the other:
          effective-depth's loss above the best grows with width, mup's with depth. H3: under AdamW
          completep is within the smallest effect of the best. H4: on MLPs no rule of depth is
          better than mup (an epoch's best rate hardly falls with depth there). Published: transfer
          over depths and widths (arXiv 2602.07494, 2505.01618; abstracts).
Command   python jobs/width_and_depth.py [--scale laptop | digits | smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

ADAMW = replace(PLAIN_SGD, optimizer="adamw")

RESNET = Depth(
    name="resnet-sgd",
    space="resnet",
    options={"block": "one-conv"},
    rules=("tuned-constant", "mup", "effective-depth", "effective-depth*mup", "depth-mup*mup"),
    seeds=3,
    depths=(2, 4, 8, 16),
    widths=(16, 32, 64),
    rates=rate_grid(1e-3, 3.0, 12),
    dataset="cifar10",
    recipe=replace(PLAIN_SGD, batch=64, steps=1000),
)

RESNET_ADAMW = replace(
    RESNET,
    name="resnet-adamw",
    rules=("tuned-constant", "mup", "depth-mup*mup", "completep"),
    rates=rate_grid(1e-5, 1e-1, 12),
    recipe=replace(ADAMW, batch=64, steps=1000),
)

MLP = replace(
    RESNET,
    name="mlp-sgd",
    space="mlp",
    options={},
    rules=("tuned-constant", "mup", "effective-depth", "effective-depth*mup"),
    depths=(1, 2, 4, 8),
    widths=(64, 128, 256, 512),
    rates=rate_grid(1e-3, 10.0, 12),
)

MLP_ADAMW = replace(
    MLP,
    name="mlp-adamw",
    rules=("tuned-constant", "mup", "effective-depth*mup"),
    rates=rate_grid(1e-5, 1e-1, 12),
    recipe=RESNET_ADAMW.recipe,
)

STUDY = Study(
    name="width_and_depth",
    question="Which rule carries one tuned rate to wider and deeper networks at once?",
    parts=(RESNET, RESNET_ADAMW, MLP, MLP_ADAMW),
)


NARROWER = {"resnet": (8, 16, 32), "mlp": (32, 64, 128, 256)}
NARROWEST = {"resnet": (4, 8), "mlp": (16, 32)}

LAPTOP = STUDY.scaled(
    "laptop", widths=lambda part: NARROWER[part.space], seeds=2, recipe={"steps": 300}
)

DIGITS = STUDY.scaled(
    "digits",
    dataset="digits",
    widths=lambda part: NARROWER[part.space],
    recipe={"batch": 32, "steps": 150},
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    widths=lambda part: NARROWEST[part.space],
    seeds=2,
    depths=(2, 4),
    recipe={"batch": 32, "steps": 40},
)

if __name__ == "__main__":
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
