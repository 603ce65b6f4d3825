"""SGD, momentum and AdamW: does the exponent of the best rate belong to SGD alone?

Purpose   An open question that reviewers asked of the depth papers, whose theories speak of SGD:
          CNNs and residual nets under SGD, SGD with momentum and AdamW, each with the rules that
          are stated for it (CompleteP for AdamW alone).
Cost      CIFAR-10: 120 units, 2.3 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Open. Second-hand, unverified, of arXiv 2602.07494: with Adam CNN -1.207 and ResNet
          -1.269. CompleteP (arXiv 2505.01618, Table 1) scales branches by 1/K and says that then
          AdamW's rate does not follow depth; Depth-muP (arXiv 2310.02244) says K^(-1/2).
Command   python jobs/optimisers.py [--scale smoke] [--out URI]
"""

from dataclasses import replace
from itertools import product

from benchmark import job
from benchmark.study import PLAIN_SGD, Depth, Study, rate_grid

COMMON = ("tuned-constant", "effective-depth", "depth-mup")
LADDER = Depth(
    name="ladder",
    space="resnet",
    options={"width": 64},
    rules=COMMON,
    seeds=3,
    depths=(1, 2, 4, 6, 8, 12, 16),
    rates=rate_grid(1e-3, 3.0, 21),
    dataset="cifar10",
)

SGD = replace(LADDER, name="sgd")
MOMENTUM = replace(LADDER, name="momentum", recipe=replace(PLAIN_SGD, momentum=0.9))
ADAMW = replace(
    LADDER,
    name="adamw",
    rules=(*COMMON, "completep"),
    rates=rate_grid(1e-5, 1e-1, 25),
    recipe=replace(PLAIN_SGD, optimizer="adamw"),
)

PARTS = tuple(
    replace(part, name=f"{space}-{part.name}", space=space)
    for space, part in product(("cnn", "resnet"), (SGD, MOMENTUM, ADAMW))
)

STUDY = Study(
    name="optimisers",
    question="Does the best rate fall with depth under momentum and AdamW as it does under SGD?",
    parts=PARTS,
)

SMOKE = replace(STUDY, parts=(SGD, MOMENTUM, ADAMW)).scaled(
    "smoke",
    dataset="digits",
    options={"width": 8},
    rules=lambda part: ("tuned-constant", part.rules[-1]),
    seeds=2,
    depths=(1, 2, 4, 8),
    rates=lambda part: rate_grid(part.rates[0] * 3, part.rates[-1], 7),
    recipe={"batch": 16, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
