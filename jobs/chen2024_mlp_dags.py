"""Five-node MLP DAGs: does the rate of each topology follow its paths?

Purpose   Repeats the topology study of Chen et al. (ICLR 2024, arXiv 2402.17440, "path-cubed") on
          random five-node MLPs, with ReLU and with GELU: every DAG gets its own grid of rates, and
          each rule predicts it from the base DAG (one hidden layer, L = 1).
Cost      CIFAR-10: 244 units, 6.0 million replica-steps; --dry-run estimates the
          time here. Smoke: about a minute on 2 cores, on digits.
Expect    Published (the paper's text): correlation of predicted and measured best rate 0.838 with
          ReLU and 0.680 with GELU. The paper does not say how many DAGs, nor the grid; 40 are drawn
          here, uniformly among those that train and differ as functions. Its ImageNet study (0.729)
          is not repeated. The paper's text takes the in-degree of an edge's source (its eq. 4) and
          its derivation that of the target (eq. 12): both are run. The networks of its
          released code differ from those of its text and are a part of their own, where its path
          count, off by one, is run too.
Command   python jobs/chen2024_mlp_dags.py [--scale smoke] [--out URI]
"""

from dataclasses import replace

from benchmark import job
from benchmark.study import Depth, Study, rate_grid

RELU = Depth(
    name="relu",
    space="dag-mlp",
    options={"width": 128, "activation": "relu"},
    rules=("tuned-constant", "path-cubed", "path-cubed:source-in-degree", "effective-depth"),
    seeds=3,
    sample=40,
    rates=rate_grid(1e-3, 1.0, 19),
    dataset="cifar10",
)

RELEASED = replace(
    RELU,
    name="relu-released-code",
    options=RELU.options | {"form": "released-code"},
    rules=(
        "tuned-constant",
        "path-cubed:released-code",
        "path-cubed:released-code:released-path-count",
    ),
)

PARTS = (
    RELU,
    replace(RELU, name="gelu", options=RELU.options | {"activation": "gelu"}),
    RELEASED,
)

STUDY = Study(
    name="chen2024_mlp_dags",
    question="Does the best rate of a five-node MLP follow its topology as path-cubed says?",
    parts=PARTS,
)

SMOKE = STUDY.scaled(
    "smoke",
    dataset="digits",
    options={"width": 32},
    rules=("tuned-constant", "path-cubed"),
    seeds=2,
    sample=7,
    rates=rate_grid(1e-3, 1.0, 9),
    recipe={"batch": 8, "epochs": 2},
)

if __name__ == "__main__":
    raise SystemExit(job.main(STUDY, scales={"smoke": SMOKE}))
