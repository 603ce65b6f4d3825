"""Vision transformers of 1 to 24 blocks: post-LN, pre-LN and LayerScale.

Purpose   Repeats the transformer study of Wu et al. (arXiv 2602.07494, "effective depth") and adds
          what it left open: pre-LN beside post-LN, LayerScale, and end-to-end transfer (every depth
          trained at the rate that each rule predicts from one block).
Cost      CIFAR-10: 78 units, 2.1 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Published, second-hand (summaries that quote the paper, unverified): exponent -1.441 on
          CIFAR-10, -1.371 on CIFAR-100, -1.178 on ImageNet for post-LN with plain fan-in weights
          (here the form rate-only); about -0.20 for CaiT, which has LayerScale. A block counts 2,
          its two additions; the report counts patch embedding and readout as well.
Command   python jobs/transfer_laws_vit.py [--scale smoke] [--out URI]     (--dataset cifar100)
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

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

PARTS = (
    POST,
    PRE,
    replace(PRE, name="layer-scale", options=PRE.options | {"layer_scale": True}),
)

STUDY = Study(
    name="transfer_laws_vit",
    question="Does the best rate of a vision transformer fall as effective depth to the -3/2?",
    parts=PARTS,
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 16},
    rules=("tuned-constant", "effective-depth:rate-only"),
    seeds=2,
    depths=(1, 2, 4, 6),
    rates=rate_grid(1e-2, 10.0, 7),
    recipe={"batch": 16, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
