"""Vision transformers of 1 to 24 blocks: post-LN, pre-LN and LayerScale, SGD and AdamW.

Purpose   Repeats the transformer study of Wu et al. (arXiv 2602.07494, "effective depth") and adds
          what it left open: pre-LN beside post-LN, LayerScale, AdamW (with CompleteP, which is
          stated for it), and end-to-end transfer (every depth trained at the rate that each rule
          predicts from one block).
Cost      CIFAR-10: 130 units, 3.6 million replica-steps; --dry-run estimates the time here. Laptop:
          about an hour on 2 cores with images of 16x16 pixels (--dataset npz:FILE). Digits:
          minutes. Smoke: about a minute.
Expect    Published, second-hand (summaries that quote the paper, unverified): exponent -1.441 on
          CIFAR-10, -1.371 on CIFAR-100, -1.178 on ImageNet for post-LN with plain fan-in weights
          (here the form rate-only); about -0.20 for CaiT, which has LayerScale. A block counts 2,
          its two additions; the report counts patch embedding and readout as well.
Command   python jobs/transfer_laws_vit.py [--scale smoke] [--out URI]     (--dataset cifar100)
"""

from collections.abc import Callable
from dataclasses import replace

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

POST = Depth(
    name="post-ln",
    space="vit",
    options={"width": 64, "patch": 4, "placement": "post", "layer_scale": False},
    rules=("tuned-constant", "effective-depth:rate-only", "effective-depth", "depth-mup"),
    seeds=3,
    depths=(1, 2, 3, 4, 6, 8, 12, 16, 24),
    rates=rate_grid(1e-3, 10.0, 25),
    dataset="cifar10",
)

PRE = replace(POST, name="pre-ln", options=POST.options | {"placement": "pre"})

ADAMW = replace(
    PRE,
    name="pre-ln-adamw",
    rules=("tuned-constant", "effective-depth", "depth-mup", "completep"),
    rates=rate_grid(1e-5, 1e-1, 25),
    recipe=replace(PLAIN_SGD, optimizer="adamw"),
)

PARTS = (
    POST,
    PRE,
    replace(PRE, name="layer-scale", options=PRE.options | {"layer_scale": True}),
    replace(ADAMW, name="post-ln-adamw", options=POST.options),
    ADAMW,
)

STUDY = Study(
    name="transfer_laws_vit",
    question="Does the best rate of a vision transformer fall as effective depth to the -3/2?",
    parts=PARTS,
)


def over_own_range(count: int) -> Callable[[Depth], tuple[float, ...]]:
    """So many rates from the lowest to the highest of each part."""
    return lambda part: rate_grid(part.rates[0], part.rates[-1], count)


LAPTOP = STUDY.scaled(
    "laptop",
    rates=over_own_range(12),
    options={"width": 32},
    depths=(1, 2, 4, 8, 12),
    recipe={"batch": 64, "steps": 300},
)

DIGITS = STUDY.scaled(
    "digits",
    rates=over_own_range(9),
    dataset="digits",
    options={"width": 16, "patch": 2},
    seeds=2,
    depths=(1, 2, 4, 8),
    recipe={"batch": 32, "steps": 150},
)

SMOKE = STUDY.scaled(
    "smoke",
    rates=over_own_range(7),
    dataset="digits",
    options={"width": 16},
    rules=("tuned-constant", "effective-depth"),
    seeds=2,
    depths=(1, 2, 4),
    recipe={"batch": 16, "steps": 60},
)

if __name__ == "__main__":
    scales = {"laptop": LAPTOP, "digits": DIGITS, "smoke": SMOKE}
    raise SystemExit(job.main(STUDY, scales=scales))
